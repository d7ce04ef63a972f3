"""Call an API with a token of the client: msal."""

import os

import msal
import requests

app = msal.ConfidentialClientApplication("client-1", client_credential="my-secret", oidc_authority=os.environ["ISSUER"])


def headers():
    """Return the header of one request."""
    result = app.acquire_token_for_client(["email"])
    if "access_token" not in result:
        raise RuntimeError(result.get("error_description"))
    return {"Authorization": "Bearer " + result["access_token"]}


print("calls:", [requests.get(os.environ["API"], headers=headers()).status_code for _ in range(2)])
