"""Call an API with a token of the client: doorkey."""

import os

import httpx

from doorkey import ClientCredentials, OAuth2Auth

auth = OAuth2Auth(ClientCredentials("client-1", "my-secret", ("email",)), issuer=os.environ["ISSUER"])
with httpx.Client(auth=auth) as client:
    print("calls:", [client.get(os.environ["API"]).status_code for _ in range(2)])
