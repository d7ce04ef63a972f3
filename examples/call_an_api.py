"""Call an API with a token of your service: one token request for all calls."""

import requests

from doorkey import ClientCredentials, OAuth2Auth
from doorkey.dev import Provider

with Provider() as provider:  # in your program: your authorization server
    credentials = ClientCredentials("client-1", "my-secret", scopes=("email",))
    auth = OAuth2Auth(credentials, issuer=provider.issuer, allowed_origins=[provider.origin])

    with requests.Session() as api:
        api.auth = auth
        print("three calls:", [api.get(provider.echo).status_code for _ in range(3)])
        print("token requests:", provider.token_requests)

        provider.expire_access_tokens()  # the API rejects the token from now on
        print("another call:", api.get(provider.echo).status_code)
        print("token requests:", provider.token_requests)
