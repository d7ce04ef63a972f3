"""Call an API with a token of the client: doorkey."""

import os

import httpx

from doorkey.integrations.httpx_transport import AuthenticatingTransportFactory, ClientCredentials, OAuthAuthorityClient

authority = OAuthAuthorityClient(httpx.Client(base_url=os.environ["ISSUER"]))
transports = AuthenticatingTransportFactory(authority)
credentials = ClientCredentials("client-1", "my-secret", ("email",))
transport = transports.authenticating_transport(httpx.HTTPTransport(), credentials)
with httpx.Client(transport=transport) as client:
    print("calls:", [client.get(os.environ["API"]).status_code for _ in range(2)])
authority.http.close()
