"""The OpenID Connect part of Authlib's guide to sessions (seed 003), word for word, at two real providers."""

import pytest
import requests

from doorkey.client import OAuth2Session
from doorkey.common.security import generate_token
from doorkey.jose import jwt
from doorkey.oidc.core import CodeIDToken
from tests.servers.browser import Browser
from tests.servers.handle import CALLBACK, RealServer


@pytest.mark.parametrize("fixture", ["keycloak", "oidc_provider"])
def test_the_guide_logs_a_user_in_and_validates_the_id_token(fixture: str, request: pytest.FixtureRequest) -> None:
    server: RealServer = request.getfixturevalue(fixture)
    published = requests.get(server.discovery, timeout=30).json()
    client_id, client_secret = "web-basic", "web-basic-secret"
    scope = "openid email profile"
    with OAuth2Session(client_id, client_secret, scope=scope) as session:
        nonce = generate_token()
        uri, _ = session.create_authorization_url(
            published["authorization_endpoint"], redirect_uri=CALLBACK, nonce=nonce
        )
        with Browser(server.name) as browser:
            authorization_response = browser.authorize(uri, CALLBACK)
        resp = session.fetch_access_token(published["token_endpoint"], authorization_response=authorization_response)
        keys = requests.get(published["jwks_uri"], timeout=30).json()
        claims = jwt.decode(resp["id_token"], keys, claims_cls=CodeIDToken)
        claims.validate()
        assert (claims["iss"], claims["aud"], claims["nonce"]) == (server.issuer, client_id, nonce)
        assert resp.id_token_claims is None, "the session knows no issuer"
