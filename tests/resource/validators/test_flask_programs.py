"""Programs of Authlib's documentation for Flask."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask, jsonify
from flask.views import MethodView

from doorkey.errors import TransportError
from doorkey.integrations.flask_oauth2 import ResourceProtector, current_token
from tests.resource.validators.flask_app import MyBearerTokenValidator, ask, profile
from tests.support.framework_requests import Call, wsgi


def test_a_view_is_protected_by_a_scope(app: Flask, require_oauth: ResourceProtector) -> None:
    @app.route("/user")
    @require_oauth("profile")
    def user_profile() -> Any:
        user = current_token.user
        return jsonify(user)

    assert ask(app, "good").json == "alice"
    assert not current_token
    assert [ask(app, name).status for name in ("narrow", "none", "expired", "revoked", "unknown")] == [
        *(200, 403, 401, 401, 401)
    ]
    missing = ask(app, None)
    assert (missing.status, missing.challenge) == (401, "Bearer")
    assert missing.json["error"] == "missing_authorization"


@pytest.mark.parametrize("called_with", [None, (), (None,), ([],)], ids=["bare", "empty", "None", "no scopes"])
def test_a_view_is_protected_without_a_scope(app: Flask, require_oauth: Any, called_with: Any) -> None:
    decorator = require_oauth if called_with is None else require_oauth(*called_with)
    app.add_url_rule("/user", view_func=decorator(profile))
    assert ask(app, "none").status == 200
    assert ask(app, "unknown").status == 401


@pytest.mark.parametrize(
    ("scopes", "narrow", "good"),
    [
        ("profile email", 403, 200),
        (["profile email"], 403, 200),
        (["profile", "email"], 200, 200),
        (["profile email", "user"], 403, 200),
        (["admin", "user"], 403, 403),
    ],
)
def test_scopes_are_combined_by_and_and_or(
    app: Flask, require_oauth: ResourceProtector, scopes: Any, narrow: int, good: int
) -> None:
    app.add_url_rule("/user", view_func=require_oauth(scopes)(profile))
    assert (ask(app, "narrow").status, ask(app, "good").status) == (narrow, good)


def test_the_context_manager_gives_the_token_or_ends_the_request(app: Flask, require_oauth: ResourceProtector) -> None:
    @app.route("/user")
    def user_profile() -> Any:
        with require_oauth.acquire("profile email") as token:
            user = token.user
            return jsonify(user)

    assert ask(app, "good").json == "alice"
    assert ask(app, "narrow").status == 403
    assert ask(app, None).status == 401


def test_an_error_of_the_block_itself_is_not_taken_for_one_of_the_request(
    app: Flask, require_oauth: ResourceProtector
) -> None:
    app.testing = True

    @app.route("/user")
    def user_profile() -> Any:
        with require_oauth.acquire("profile"):
            raise TransportError("the API behind this one is not reachable")

    with pytest.raises(TransportError):
        ask(app, "good")


def test_an_optional_view_runs_without_a_token(app: Flask, require_oauth: ResourceProtector) -> None:
    @app.route("/timeline")
    @require_oauth(optional=True)
    def timeline_api() -> Any:
        return jsonify(current_token.user if current_token else "public")

    assert ask(app, "good", "/timeline").json == "alice"
    assert ask(app, None, "/timeline").json == "public"
    assert ask(app, "expired", "/timeline").status == 401
    basic = Call("/timeline", headers=(("Authorization", "Basic YTpi"),))
    assert wsgi(app, basic).json["error"] == "unsupported_token_type"


def test_method_views_are_protected(app: Flask, require_oauth: ResourceProtector) -> None:
    class UserAPI(MethodView):
        decorators = [require_oauth("profile")]  # noqa: RUF012  # as in Flask's documentation

        def get(self) -> Any:
            return jsonify(current_token.user)

    app.add_url_rule("/user", view_func=UserAPI.as_view("user"))
    assert ask(app, "good").json == "alice"
    assert ask(app, None).status == 401


def test_an_asynchronous_view_is_protected(app: Flask, require_oauth: ResourceProtector) -> None:
    @app.route("/user")
    @require_oauth("profile")
    async def user_profile() -> Any:
        return jsonify(current_token.user)

    assert ask(app, "good").json == "alice"


def test_a_program_makes_its_own_error_response(app: Flask) -> None:
    from werkzeug.exceptions import HTTPException
    from werkzeug.wrappers import Response

    class MyProtector(ResourceProtector):
        def raise_error_response(self, error: Any) -> Any:
            body = json.dumps({"problem": dict(error.get_body())})
            raise HTTPException(response=Response(body, error.status_code, error.get_headers()))

    require_oauth = MyProtector()
    require_oauth.register_token_validator(MyBearerTokenValidator(realm="api"))
    app.add_url_rule("/user", view_func=require_oauth("admin")(profile))
    answer = ask(app, "good")
    assert answer.status == 403
    assert answer.json["problem"]["error"] == "insufficient_scope"
    assert (answer.challenge or "").startswith('Bearer realm="api", error="insufficient_scope"')
