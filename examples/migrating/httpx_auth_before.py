"""Call an API with a token of the client: httpx-auth."""

import os

import httpx
from httpx_auth import OAuth2ClientCredentials

auth = OAuth2ClientCredentials(
    f"{os.environ['ISSUER']}/protocol/openid-connect/token",
    client_id="client-1",
    client_secret="my-secret",
    scope="email",
)
with httpx.Client(auth=auth) as client:
    print("calls:", [client.get(os.environ["API"]).status_code for _ in range(2)])
