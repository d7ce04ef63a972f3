"""Programs of Authlib's documentation for Flask."""

from __future__ import annotations

import json
from copy import copy
from functools import partial
from typing import Any

import pytest
from flask import Flask, jsonify
from flask.views import MethodView

from doorkey.errors import InvalidRequest, TransportError, UsageError
from doorkey.integrations.flask_oauth2 import ResourceProtector, current_token, token_authenticated
from doorkey.oauth2.rfc6750 import BearerTokenValidator, InsufficientScopeError, InvalidTokenError
from doorkey.oauth2.rfc7662 import IntrospectTokenValidator
from tests.resource.frameworks.wire import Answer, Call, bearer, wsgi
from tests.resource.validators.tokens import STORED, Token
from tests.support.tracebacks import local_variables


class MyBearerTokenValidator(BearerTokenValidator):
    def authenticate_token(self, token_string: str) -> Token | None:
        return STORED.get(token_string)


@pytest.fixture
def app() -> Flask:
    return Flask(__name__)


@pytest.fixture
def require_oauth() -> ResourceProtector:
    protector = ResourceProtector()
    protector.register_token_validator(MyBearerTokenValidator())
    return protector


def ask(app: Flask, token: str | None, path: str = "/user", **more: Any) -> Answer:
    return wsgi(app, Call(path, **more) if token is None else bearer(token, path=path, **more))


def profile() -> Any:
    return jsonify(current_token.user)


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


def test_a_validator_checks_more_of_the_token_and_of_the_request(app: Flask) -> None:
    class Strict(MyBearerTokenValidator):
        def validate_request(self, request: Any) -> None:
            if "X-Device-Version" not in request.headers:
                raise InvalidRequest

        def validate_token(self, token: Any, scopes: Any, request: Any) -> None:
            if not token or request.method != "GET" or "/user" not in request.uri:
                raise InvalidTokenError
            if self.scope_insufficient(token.get_scope(), scopes):
                raise InsufficientScopeError

    require_oauth = ResourceProtector()
    require_oauth.register_token_validator(Strict())
    app.add_url_rule("/user", view_func=require_oauth("email")(profile))
    device = ("X-Device-Version", "1")
    with_device = [
        wsgi(app, Call("/user", headers=(("Authorization", f"Bearer {name}"), device)))
        for name in ("good", "narrow", "unknown")
    ]
    assert [answer.status for answer in with_device] == [200, 403, 401]
    answer = ask(app, "good")
    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


def test_the_challenge_has_the_realm_and_the_attributes_of_the_validator(app: Flask) -> None:
    require_oauth = ResourceProtector()
    require_oauth.register_token_validator(MyBearerTokenValidator("api", documentation='https://x.example/"docs"'))
    app.add_url_rule("/user", view_func=require_oauth("admin")(profile))
    assert (ask(app, "unknown").challenge or "").startswith(
        'Bearer realm="api", documentation="https://x.example/\'docs\'", error="invalid_token"'
    )
    assert 'scope="admin"' in (ask(app, "good").challenge or "")
    assert ask(app, None).challenge == 'Bearer realm="api"'


def test_alternatives_are_not_named_in_the_challenge(app: Flask, require_oauth: ResourceProtector) -> None:
    """A challenge cannot express that one of them is enough."""
    app.add_url_rule("/user", view_func=require_oauth(["admin", "root"])(profile))
    assert "scope=" not in (ask(app, "good").challenge or "")


@pytest.mark.parametrize(
    ("granted", "required", "insufficient"),
    [
        (None, None, False),
        ("", [], False),
        ("a b", "a b", False),
        ("a", "a b", True),
        (["a", "b"], ["c", "b a"], False),
        ("", [""], True),
        (None, ["a"], True),
        ("a", [""], False),
    ],
)
def test_scopes_are_compared_as_alternatives(granted: Any, required: Any, insufficient: bool) -> None:
    assert BearerTokenValidator.scope_insufficient(granted, required) is insufficient


def test_scopes_of_another_type_are_a_usage_error() -> None:
    wrong: Any = 5
    with pytest.raises(UsageError, match="scopes are text"):
        BearerTokenValidator.scope_insufficient(wrong, ["a"])


def test_an_error_may_have_another_status_and_says_it_in_every_form(app: Flask) -> None:
    class Gone(MyBearerTokenValidator):
        def validate_token(self, token: Any, scopes: Any, request: Any) -> None:
            raise InvalidTokenError("the token is of an older version", "https://x.example/versions", 410)

    require_oauth = ResourceProtector()
    require_oauth.register_token_validator(Gone())
    app.add_url_rule("/user", view_func=require_oauth()(profile))
    answer = ask(app, "good")
    assert (answer.status, answer.json["error_description"]) == (410, "the token is of an older version")
    error = InvalidTokenError("old", "https://x.example/versions")
    assert error.get_body() == [
        ("error", "invalid_token"),
        ("error_description", "old"),
        ("error_uri", "https://x.example/versions"),
    ]
    assert ("WWW-Authenticate", 'Bearer error="invalid_token", error_description="old"') in error.get_headers()
    assert copy(error).description == "old"


def test_no_traceback_and_no_repr_has_the_token(app: Flask) -> None:
    seen: list[str] = []

    class Nosy(MyBearerTokenValidator):
        def validate_request(self, request: Any) -> None:
            seen.append(repr(request))

    protector = ResourceProtector()
    protector.register_token_validator(Nosy())
    request = app.test_request_context("/user", headers={"Authorization": "Bearer unknown-token"})
    with request, pytest.raises(InvalidTokenError) as caught:
        protector.acquire_token("profile")
    assert "profile" in local_variables(caught.value)
    assert "unknown-token" not in local_variables(caught.value) + str(seen)


def test_a_signal_tells_of_accepted_requests(app: Flask, require_oauth: ResourceProtector) -> None:
    seen: list[Any] = []

    def receiver(sender: Any, token: Any) -> None:
        seen.append((sender, token.user))

    app.add_url_rule("/user", view_func=require_oauth("profile")(profile))
    with token_authenticated.connected_to(receiver):
        ask(app, "good")
        ask(app, "unknown")
    assert seen == [(require_oauth, "alice")]


def test_two_tokens_and_a_token_in_the_query_are_bad_requests(app: Flask, require_oauth: ResourceProtector) -> None:
    app.add_url_rule("/user", view_func=require_oauth("profile")(profile))
    twice = Call("/user", headers=(("Authorization", "Bearer good"), ("Authorization", "Bearer good")))
    assert wsgi(app, twice).status == 400
    assert ask(app, "good", query="access_token=good").status == 400
    assert ask(app, None, query="access_token=good").status == 400


def test_a_failure_to_check_the_token_denies_access(app: Flask) -> None:
    class Unreachable(MyBearerTokenValidator):
        def authenticate_token(self, token_string: str) -> Token | None:
            raise TransportError("the database of tokens is not reachable")

    require_oauth = ResourceProtector()
    require_oauth.register_token_validator(Unreachable())
    app.add_url_rule("/user", view_func=require_oauth("profile")(profile))
    answer = ask(app, "good")
    assert (answer.status, answer.challenge) == (503, None)
    assert "database" not in answer.body.decode()


def test_mistakes_of_the_program_are_usage_errors(app: Flask) -> None:
    app.testing = True
    require_oauth = ResourceProtector()
    app.add_url_rule("/user", view_func=require_oauth("profile")(profile))
    with pytest.raises(UsageError, match="register_token_validator"):
        ask(app, "good")
    with pytest.raises(UsageError, match="TokenValidator"):
        require_oauth.register_token_validator("validator")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    require_oauth.register_token_validator(BearerTokenValidator())
    with pytest.raises(UsageError, match="already"):
        require_oauth.register_token_validator(MyBearerTokenValidator())
    with pytest.raises(UsageError, match="must define authenticate_token"):
        ask(app, "good")


INTROSPECTED: dict[str, dict[str, Any]] = {
    "good": {"active": True, "scope": "profile", "sub": "alice"},
    "narrow": {"active": True, "scope": "email", "sub": "alice"},
    "inactive": {"active": False},
    "silent": {"sub": "alice", "scope": "profile"},
    "truthy": {"active": "true", "scope": "profile"},
    "expired": {"active": True, "scope": "profile", "exp": 1},
    "bound": {"active": True, "scope": "profile", "cnf": {"jkt": "x"}},
}


@pytest.fixture
def introspecting(app: Flask) -> Any:
    class MyIntrospectTokenValidator(IntrospectTokenValidator):
        def introspect_token(self, token_string: str) -> Any:
            return INTROSPECTED.get(token_string)

    require_oauth = ResourceProtector()
    require_oauth.register_token_validator(MyIntrospectTokenValidator())

    @app.route("/user")
    @require_oauth("profile")
    def user_profile() -> Any:
        return jsonify(current_token["sub"])

    return partial(ask, app)


def test_tokens_are_introspected(introspecting: Any) -> None:
    assert introspecting("good").json == "alice"
    statuses = {name: introspecting(name).status for name in (*INTROSPECTED, "unknown")}
    assert statuses == {
        "good": 200,
        "narrow": 403,
        **dict.fromkeys(("inactive", "silent", "truthy", "expired", "bound", "unknown"), 401),
    }


def test_an_introspection_validator_without_its_method_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="must define introspect_token"):
        IntrospectTokenValidator().authenticate_token("x")
