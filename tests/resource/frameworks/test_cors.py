"""CORS middleware outside a guard: it answers preflight requests, and its headers are on rejections too."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from doorkey.resource.on_starlette import StarletteGuard
from tests.support.framework_requests import Call, asgi, bearer
from tests.support.resource_server import token

ORIGIN = ("Origin", "https://app.example")
PREFLIGHT = Call(method="OPTIONS", headers=(ORIGIN, ("Access-Control-Request-Method", "GET")))


def app_of(verifier: Any, *, cors_outside: bool) -> Starlette:
    def orders(request: Request) -> JSONResponse:
        return JSONResponse(request.state.access_token.sub)

    app = Starlette(routes=[Route("/orders", orders)])
    guard = StarletteGuard(verifier)
    if cors_outside:
        app.add_middleware(guard.middleware, "orders:read")
    app.add_middleware(CORSMiddleware, allow_origins=["https://app.example"], expose_headers=["WWW-Authenticate"])
    if not cors_outside:
        app.add_middleware(guard.middleware, "orders:read")
    return app


def test_middleware_that_was_added_after_the_guard_is_outside(verifier: Any) -> None:
    app = app_of(verifier, cors_outside=True)
    assert asgi(app, PREFLIGHT).status == 200
    rejected = asgi(app, Call(headers=(ORIGIN,)))
    assert rejected.status == 401
    assert rejected.all("access-control-allow-origin") == ["https://app.example"]
    accepted = asgi(app, Call(headers=(ORIGIN, *bearer(token()).headers)))
    assert (accepted.status, accepted.json) == (200, "alice")


def test_a_guard_outside_of_cors_rejects_preflight_requests(verifier: Any) -> None:
    """The application behind it may not look at the method, so no request without a token reaches it."""
    assert asgi(app_of(verifier, cors_outside=False), PREFLIGHT).status == 401
