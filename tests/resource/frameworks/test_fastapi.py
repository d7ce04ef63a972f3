"""What only FastAPI has: the OpenAPI document, dependencies, and handlers of exceptions."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI, HTTPException, Request
from fastapi.openapi.models import OpenIdConnect
from fastapi.responses import JSONResponse

from doorkey.errors import UsageError
from doorkey.resource import AccessToken
from doorkey.resource.on_fastapi import FastAPIGuard
from tests.support.framework_requests import Call, asgi, bearer
from tests.support.resource_server import API, ISSUER, token


def documented(app: FastAPI) -> dict[str, Any]:
    found: dict[str, Any] = app.openapi()
    return found


def test_the_openapi_document_has_the_scheme_and_the_scopes(verifier: Any) -> None:
    app, guard = FastAPI(), FastAPIGuard(verifier, resource=API)
    app.include_router(guard.router)
    orders: Any = guard.require("orders:read", "orders:write")

    @app.get("/orders")
    def list_orders(token: AccessToken = orders) -> None: ...

    @app.get("/any")
    def anything(token: AccessToken = guard.require()) -> None: ...  # noqa: B008  # as FastAPI wants it

    document = documented(app)
    scheme = document["components"]["securitySchemes"]
    assert scheme == {
        "AccessToken": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access token",
        }
    }
    assert document["paths"]["/orders"]["get"]["security"] == [{"AccessToken": ["orders:read", "orders:write"]}]
    assert document["paths"]["/any"]["get"]["security"] == [{"AccessToken": []}]
    assert list(document["paths"]) == ["/orders", "/any"]


def test_the_scheme_of_the_document_is_chosen(verifier: Any) -> None:
    app = FastAPI()
    scheme = OpenIdConnect(openIdConnectUrl=f"{ISSUER}/.well-known/openid-configuration")
    guard = FastAPIGuard(verifier, scheme_name="Keycloak", security_scheme=scheme)

    @app.get("/any")
    def anything(token: AccessToken = guard.require()) -> None: ...  # noqa: B008  # as FastAPI wants it

    assert documented(app)["components"]["securitySchemes"]["Keycloak"]["type"] == "openIdConnect"


def test_a_handler_of_the_application_makes_the_response(verifier: Any) -> None:
    app, guard = FastAPI(), FastAPIGuard(verifier)

    @app.exception_handler(HTTPException)
    async def problem(request: Request, error: HTTPException) -> JSONResponse:
        detail: Any = error.detail
        return JSONResponse({"title": detail["error"]}, error.status_code, error.headers)

    @app.get("/any")
    def anything(token: AccessToken = guard.require()) -> None: ...  # noqa: B008  # as FastAPI wants it

    answer = asgi(app, bearer("x", path="/any"))
    assert (answer.status, answer.json) == (401, {"title": "invalid_token"})
    assert 'error="invalid_token"' in (answer.challenge or "")


def test_the_dependency_is_one_of_another_dependency_too(verifier: Any) -> None:
    from fastapi import Depends

    app, guard = FastAPI(), FastAPIGuard(verifier)
    required: Any = guard.require("orders:read")

    def subject(token: AccessToken = required) -> str | None:
        return token.sub

    @app.get("/me")
    def me(sub: str = Depends(subject)) -> str:  # as FastAPI wants it
        return sub

    assert asgi(app, bearer(token(), path="/me")).json == "alice"
    assert asgi(app, Call("/me")).status == 401
    assert asgi(app, bearer(token(scope="x"), path="/me")).status == 403


def test_a_router_is_protected_as_a_whole(verifier: Any) -> None:
    from fastapi import APIRouter

    guard = FastAPIGuard(verifier)
    router = APIRouter(dependencies=[guard.require("orders:read")])

    @router.get("/orders")
    def orders() -> str:
        return "all"

    app = FastAPI()
    app.include_router(router)
    assert asgi(app, bearer(token())).json == "all"
    assert asgi(app, Call()).status == 401


def test_two_guards_have_two_schemes(verifier: Any) -> None:
    app = FastAPI()
    ours: Any = FastAPIGuard(verifier).require()
    theirs: Any = FastAPIGuard(verifier, scheme_name="Partner").require()

    @app.get("/any")
    def anything(token: AccessToken = ours, partner: AccessToken = theirs) -> None: ...

    document = documented(app)
    assert sorted(document["components"]["securitySchemes"]) == ["AccessToken", "Partner"]
    assert document["paths"]["/any"]["get"]["security"] == [{"AccessToken": []}, {"Partner": []}]


def test_a_wrong_requirement_is_an_error_where_it_is_written(verifier: Any) -> None:
    guard: Any = FastAPIGuard(verifier)
    for wrong in ({"acr": 5}, {"max_age": "x"}, {"claims": ["admin"]}):
        with pytest.raises(UsageError):
            guard.require("orders:read", **wrong)
    for scope in (5, ["orders:read"], 'a"b'):
        with pytest.raises(UsageError):
            guard.require(scope)
