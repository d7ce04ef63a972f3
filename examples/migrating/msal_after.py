"""Call an API with a token of the client: doorkey."""

import os

import requests

from doorkey import ClientCredentials, OAuth2Auth

auth = OAuth2Auth(ClientCredentials("client-1", "my-secret", ("email",)), issuer=os.environ["ISSUER"])
print("calls:", [requests.get(os.environ["API"], auth=auth).status_code for _ in range(2)])
