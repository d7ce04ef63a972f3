"""What only Starlette has: endpoints that are methods of a class."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from doorkey.errors import UsageError
from doorkey.resource.on_starlette import StarletteGuard
from tests.support.framework_requests import Call, asgi, bearer
from tests.support.resource_server import token


def test_each_method_of_an_endpoint_has_its_own_requirement(verifier: Any) -> None:
    guard = StarletteGuard(verifier)

    class Orders(HTTPEndpoint):
        @guard.require("orders:read")
        async def get(self, request: Request) -> JSONResponse:
            return JSONResponse(request.state.access_token.sub)

        @guard.require("orders:write")
        def post(self, request: Request) -> JSONResponse:
            return JSONResponse("written")

    app = Starlette(routes=[Route("/orders", Orders)])
    assert asgi(app, bearer(token())).json == "alice"
    assert asgi(app, bearer(token(), method="POST")).status == 403
    assert asgi(app, bearer(token(scope="orders:write"), method="POST")).json == "written"
    assert asgi(app, Call(method="POST")).status == 401


def test_a_function_without_a_request_is_a_usage_error(verifier: Any) -> None:
    @StarletteGuard(verifier).require()
    async def helper(number: int) -> int:
        return number

    async def main() -> None:
        await helper(7)

    with pytest.raises(UsageError, match="a parameter for the request or the WebSocket"):
        asyncio.run(main())
