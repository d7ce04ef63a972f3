"""The program of Auth0's examples for Flask: a validator with a key set and options for claims."""

from __future__ import annotations

import time
from typing import Any

import pytest
from flask import Flask, jsonify

from doorkey.errors import UsageError
from doorkey.integrations.flask_oauth2 import ResourceProtector, current_token
from doorkey.jose import JsonWebKey, jwt
from doorkey.jose.verification import unsafe_claims
from doorkey.oauth2.rfc6750 import InvalidTokenError
from doorkey.oauth2.rfc7523 import JWTBearerTokenValidator
from tests.support.framework_requests import Call, bearer, wsgi
from tests.support.resource_server import API, ISSUER, KEY, OTHER_KEY, public_jwk, token

JWKS = {"keys": [public_jwk(KEY, "1")]}


class Auth0JWTBearerTokenValidator(JWTBearerTokenValidator):
    def __init__(self, issuer: str, audience: str) -> None:
        public_key = JsonWebKey.import_key_set(JWKS)
        super().__init__(public_key)
        self.claims_options = {
            "exp": {"essential": True},
            "aud": {"essential": True, "value": audience},
            "iss": {"essential": True, "value": issuer},
        }


def signed(**more: Any) -> str:
    """A token as Auth0 issues it, valid by the clock of this machine."""
    now = int(time.time())
    members: dict[str, Any] = {"typ": "JWT", "aud": [API, f"{ISSUER}/userinfo"], "iat": now, "exp": now + 300, **more}
    return token(**members)


@pytest.fixture
def app() -> Flask:
    app, require_auth = Flask(__name__), ResourceProtector()
    require_auth.register_token_validator(Auth0JWTBearerTokenValidator(ISSUER, API))

    @app.route("/api/private")
    @require_auth(None)
    def private() -> Any:
        return jsonify(current_token["sub"])

    @app.route("/api/private-scoped")
    @require_auth("read:messages")
    def private_scoped() -> Any:
        return jsonify(current_token.sub)

    return app


def test_the_views_are_protected(app: Flask) -> None:
    assert wsgi(app, bearer(signed(), path="/api/private")).json == "alice"
    assert wsgi(app, bearer(signed(), path="/api/private-scoped")).status == 403
    assert wsgi(app, bearer(signed(scope="read:messages"), path="/api/private-scoped")).json == "alice"
    assert wsgi(app, Call("/api/private")).status == 401


@pytest.mark.parametrize(
    "text",
    [
        signed(key=OTHER_KEY),
        signed(iat=1, exp=2),
        signed(aud="https://other.example"),
        signed(issuer="https://other.example"),
        signed(exp=None),
        signed(nonce="of an ID token"),
        signed(at_hash="of an ID token"),
        signed(client_id=None),
        signed(typ="logout+jwt"),
        signed(cnf={"jkt": "x"}),
        "opaque",
    ],
)
def test_every_other_token_is_rejected(app: Flask, text: str) -> None:
    answer = wsgi(app, bearer(text, path="/api/private"))
    assert answer.status == 401
    assert 'error="invalid_token"' in (answer.challenge or "")


def test_a_validator_that_would_accept_any_issuer_or_api_is_a_usage_error() -> None:
    validator = JWTBearerTokenValidator(JWKS)
    with pytest.raises(UsageError, match="iss is missing"):
        validator.authenticate_token(signed())
    validator = JWTBearerTokenValidator(JWKS, issuer=ISSUER)
    with pytest.raises(UsageError, match="aud is missing"):
        validator.authenticate_token(signed())
    validator.claims_options = {**validator.claims_options, "aud": {"values": [API]}}
    found = validator.authenticate_token(signed())
    assert (found.get_scope(), found.get_expires_in()) == ("orders:read", 300)
    assert not found.is_expired()
    assert not found.is_revoked()


def test_a_shared_secret_verifies_no_access_token() -> None:
    secret = JsonWebKey.generate_key("oct", 256, is_private=True)
    text = jwt.encode({"alg": "HS256"}, dict(unsafe_claims(signed())), secret).decode()
    validator = JWTBearerTokenValidator(secret, issuer=ISSUER)
    validator.claims_options = {**validator.claims_options, "aud": {"value": API}}
    with pytest.raises(InvalidTokenError, match="alg"):
        validator.authenticate_token(text)
