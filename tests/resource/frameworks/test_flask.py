"""What only Flask has: the token of the current request, blueprints, and OPTIONS."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Blueprint, Flask

from doorkey.errors import UsageError
from doorkey.resource import AccessTokenVerifier, AsyncAccessTokenVerifier
from doorkey.resource.on_flask import FlaskGuard
from doorkey.resource.on_wsgi import WSGIGuard
from tests.support.framework_requests import Call, bearer, wsgi
from tests.support.resource_server import API, token


def test_the_token_is_there_in_a_protected_view_and_nowhere_else(blocking: AccessTokenVerifier) -> None:
    app, ours, theirs = Flask(__name__), FlaskGuard(blocking), FlaskGuard(blocking)

    @app.get("/orders")
    @ours.require()
    def orders() -> dict[str, Any]:
        with pytest.raises(UsageError, match="has not checked"):
            _ = theirs.access_token
        return {"sub": ours.access_token.sub if ours.access_token else None}

    assert wsgi(app, bearer(token())).json == {"sub": "alice"}
    with pytest.raises(UsageError, match="has not checked"):
        _ = ours.access_token
    with app.app_context(), pytest.raises(UsageError, match="has not checked"):
        _ = ours.access_token


def test_flask_answers_a_preflight_request_itself(blocking: AccessTokenVerifier) -> None:
    app, guard = Flask(__name__), FlaskGuard(blocking)

    @app.get("/orders")
    @guard.require()
    def orders() -> str:
        raise AssertionError("an unauthenticated request has reached the view")

    headers = (("Origin", "https://app.example"), ("Access-Control-Request-Method", "GET"))
    assert wsgi(app, Call(method="OPTIONS", headers=headers)).status == 200
    assert wsgi(app, Call(method="HEAD")).status == 401


def test_middleware_passes_no_preflight_request_to_the_application(blocking: AccessTokenVerifier) -> None:
    """The application may not look at the method; CORS middleware belongs outside the guard."""
    app = WSGIGuard(blocking).middleware(Flask(__name__))
    headers = (("Origin", "https://app.example"), ("Access-Control-Request-Method", "GET"))
    assert wsgi(app, Call(method="OPTIONS", headers=headers)).status == 401


def test_a_blueprint_has_the_metadata(blocking: AccessTokenVerifier) -> None:
    app, parts, guard = Flask(__name__), Blueprint("api", __name__), FlaskGuard(blocking, resource=f"{API}/v1")
    guard.init_app(parts)
    app.register_blueprint(parts)
    answer = wsgi(app, Call("/.well-known/oauth-protected-resource/v1"))
    assert answer.json["resource"] == f"{API}/v1"
    with pytest.raises(UsageError, match="resource="):
        FlaskGuard(blocking).init_app(app)


@pytest.mark.parametrize("kind", [FlaskGuard, WSGIGuard])
def test_an_asynchronous_verifier_is_a_usage_error(kind: Any, awaiting: AsyncAccessTokenVerifier) -> None:
    with pytest.raises(UsageError, match="give an AccessTokenVerifier"):
        kind(awaiting)


def test_a_decorator_without_parentheses_is_a_usage_error(blocking: AccessTokenVerifier) -> None:
    guard: Any = FlaskGuard(blocking)
    with pytest.raises(UsageError, match=r"@guard\.require\(\)"):
        guard.require(lambda: "")


def test_a_token_that_a_client_puts_into_the_environ_by_a_header_does_not_count(
    blocking: AccessTokenVerifier,
) -> None:
    seen: list[Any] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(environ["doorkey.access_token"])
        start_response("200 OK", [])
        return []

    guarded = WSGIGuard(blocking).middleware(app, optional=True)
    assert wsgi(guarded, Call(headers=(("doorkey.access_token", "x"), ("SSL-CLIENT-CERT", "x")))).status == 200
    assert seen == [None]


def test_the_token_of_an_outer_guard_is_replaced(blocking: AccessTokenVerifier) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [str(environ["doorkey.access_token"]).encode()]

    def outer(environ: dict[str, Any], start_response: Any) -> Any:
        environ["doorkey.access_token"] = "the token of another guard"
        return WSGIGuard(blocking).middleware(app, optional=True)(environ, start_response)

    assert wsgi(outer, Call()).body == b"None"


def test_only_headers_are_given_to_the_function_that_finds_the_certificate(blocking: AccessTokenVerifier) -> None:
    seen: list[Any] = []
    app = WSGIGuard(blocking, client_certificate=seen.append).middleware(Flask(__name__))
    wsgi(app, Call(headers=(("X-Proxy", "1"),), certificate="of the connection"))
    assert seen == [(("HOST", "api.example"), ("X-PROXY", "1"))]


def test_a_response_to_head_has_no_body(blocking: AccessTokenVerifier) -> None:
    app = WSGIGuard(blocking, resource=API).middleware(Flask(__name__))
    path = "/.well-known/oauth-protected-resource"
    got, head = (wsgi(app, Call(path, method)) for method in ("GET", "HEAD"))
    assert head.body == b""
    assert head.all("content-length") == got.all("content-length") == [str(len(got.body))]


def test_a_path_of_any_bytes_is_a_path(blocking: AccessTokenVerifier) -> None:
    app = WSGIGuard(blocking).middleware(Flask(__name__))
    for path in ("/\xff\xfe", "/a?access_token=x", "/%zz", "//x", ""):
        assert wsgi(app, Call(path)).status == 401
