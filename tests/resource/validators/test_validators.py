"""What validators check, and which responses their errors become."""

from __future__ import annotations

from copy import copy
from functools import partial
from typing import Any

import pytest
from flask import Flask, jsonify

from doorkey.errors import InsufficientScope, InvalidRequest, InvalidToken, TransportError, UsageError
from doorkey.integrations.flask_oauth2 import ResourceProtector, current_token, token_authenticated
from doorkey.oauth2.rfc6750 import BearerTokenValidator, InsufficientScopeError, InvalidTokenError
from doorkey.oauth2.rfc7662 import IntrospectTokenValidator
from doorkey.resource.validators.bearer import TokenValidator
from tests.resource.validators.flask_app import MyBearerTokenValidator, ask, profile
from tests.resource.validators.tokens import STORED, Token
from tests.support.framework_requests import Call, wsgi
from tests.support.tracebacks import local_variables


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
    with pytest.raises(UsageError, match="scopes must be text"):
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


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidToken(), 401, "invalid_token"),
        (InsufficientScope(description="only for admins"), 403, "insufficient_scope"),
        (InvalidRequest(description="no device"), 400, "invalid_request"),
    ],
)
def test_the_errors_of_this_package_are_those_of_the_request(app: Flask, error: Any, status: int, code: str) -> None:
    class Rejecting(MyBearerTokenValidator):
        def validate_token(self, token: Any, scopes: Any, request: Any) -> None:
            raise error

    require_oauth = ResourceProtector()
    require_oauth.register_token_validator(Rejecting())
    app.add_url_rule("/user", view_func=require_oauth()(profile))
    answer = ask(app, "good")
    assert (answer.status, answer.json["error"]) == (status, code)
    assert error.description in answer.json["error_description"]
    assert f'error="{code}"' in (answer.challenge or "")


def test_another_scheme_has_its_own_validator(app: Flask, require_oauth: ResourceProtector) -> None:
    class Signed(TokenValidator):
        TOKEN_TYPE = "mac"

        def authenticate_token(self, token_string: str) -> Token | None:
            return STORED.get(token_string.partition(",")[0])

        def validate_token(self, token: Any, scopes: Any, request: Any) -> None:
            if token is None:
                raise InvalidTokenError

    require_oauth.register_token_validator(Signed())
    app.add_url_rule("/user", view_func=require_oauth("profile")(profile))
    assert ask(app, "good").json == "alice"
    answers = [
        wsgi(app, Call("/user", headers=(("Authorization", credentials),)))
        for credentials in ("MAC good, ts=1", "mac unknown", "MAC", "Basic YTpi")
    ]
    assert [answer.status for answer in answers] == [200, 401, 401, 401]


def test_a_validator_without_its_methods_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="must define authenticate_token"):
        TokenValidator().authenticate_token("x")
    with pytest.raises(UsageError, match="must define validate_token"):
        TokenValidator().validate_token(None, None, None)


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
