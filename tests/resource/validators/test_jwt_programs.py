"""`JWTBearerTokenValidator`: JWT access tokens by the keys of the issuer, or by those of a subclass (RFC 9068)."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from flask import Flask, jsonify

from doorkey import Issuer
from doorkey.integrations.flask_oauth2 import ResourceProtector, current_token
from doorkey.oauth2.rfc9068 import JWTBearerTokenValidator
from tests.support.fake_clock import Clock
from tests.support.framework_requests import Answer, bearer, wsgi
from tests.support.resource_server import API, ISSUER, KEY, OTHER_KEY, Net, Server, public_jwk, token


class MyJWTBearerTokenValidator(JWTBearerTokenValidator):
    jwks: dict[str, Any] = {"keys": [public_jwk(KEY, "1")]}  # noqa: RUF012  # replaced as a whole

    def get_jwks(self) -> Any:
        return self.jwks


def app_with(validator: JWTBearerTokenValidator, **requirements: Any) -> Flask:
    app, require_oauth = Flask(__name__), ResourceProtector()
    require_oauth.register_token_validator(validator)

    @app.route("/user")
    @require_oauth(**requirements)
    def user_profile() -> Any:
        return jsonify(current_token["sub"])

    return app


def ask(app: Flask, text: str) -> Answer:
    return wsgi(app, bearer(text, path="/user"))


def now(**more: Any) -> str:
    """A token that is valid by the clock of this machine, which a validator uses."""
    import time

    members: dict[str, Any] = {"iat": int(time.time()), "exp": int(time.time()) + 300, **more}
    return token(**members)


def test_tokens_are_verified_by_the_keys_of_the_subclass() -> None:
    app = app_with(MyJWTBearerTokenValidator(ISSUER, API), scopes="orders:read")
    assert ask(app, now()).json == "alice"
    wrong = {
        "another key": now(key=OTHER_KEY),
        "another issuer": now(issuer="https://other.example"),
        "another audience": now(aud="https://other.example"),
        "expired": now(exp=1),
        "an ID token": now(typ="JWT"),
        "no client": now(client_id=None),
        "no JWT": "opaque",
    }
    assert {name: ask(app, text).status for name, text in wrong.items()} == dict.fromkeys(wrong, 401)
    answer = ask(app, now(scope="orders:write"))
    assert (answer.status, answer.json["error"]) == (403, "insufficient_scope")


def test_keys_that_the_subclass_has_replaced_count_from_the_next_request_on() -> None:
    validator = MyJWTBearerTokenValidator(ISSUER, API)
    app = app_with(validator)
    assert ask(app, now(key=OTHER_KEY)).status == 401
    validator.jwks = {"keys": [public_jwk(OTHER_KEY, "1")]}
    assert ask(app, now(key=OTHER_KEY)).status == 200
    assert ask(app, now()).status == 401


def test_the_keys_are_those_that_the_issuer_publishes_by_default(clock: Clock) -> None:
    server = Server()
    client = httpx2.Client(transport=httpx2.MockTransport(Net(server)))
    app = app_with(JWTBearerTokenValidator(Issuer(ISSUER, http_client=client), API))
    assert [ask(app, now()).status for _ in range(3)] == [200] * 3
    assert server.paths.count("/jwks_uri") == 1


@pytest.mark.parametrize("name", ["groups", "roles", "entitlements"])
def test_other_claims_are_required_as_scopes_are(name: str) -> None:
    app = app_with(MyJWTBearerTokenValidator(ISSUER, API), **{name: ["admin", "staff lead"]})
    for granted, status in ((["admin"], 200), (["lead", "staff"], 200), (["staff"], 403), (None, 403)):
        assert ask(app, now(**{name: granted})).status == status


def test_the_requirements_of_the_documentation_are_understood() -> None:
    requirements = {"scope": "profile", "groups": "admins", "roles": "student", "entitlements": "captain"}
    app = app_with(MyJWTBearerTokenValidator(issuer=ISSUER, resource_server=API), **requirements)
    claims: dict[str, Any] = {"scope": "profile", "groups": ["admins"], "roles": ["student"]}
    assert ask(app, now(**claims, entitlements=["captain"])).status == 200
    assert ask(app, now(**claims)).status == 403
