"""`ApiProxy` on Starlette and FastAPI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from doorkey.login.web.on_starlette import response_of, web_request
from doorkey.login.web.proxied_api import METHODS

if TYPE_CHECKING:
    from doorkey.login.web.api_proxy import ApiProxy


def mount(proxy: ApiProxy, app: Starlette) -> None:
    """Add the paths of `proxy` to an application."""

    async def respond(request: Request) -> Response:
        body = await _body_of(request, proxy.max_request)
        return response_of(await proxy.arespond(web_request(request), body))

    route = Route(f"{proxy.api.prefix}/{{path:path}}", respond, methods=list(METHODS), include_in_schema=False)
    app.router.routes.insert(0, route)


async def _body_of(request: Request, most: int) -> bytes | None:
    """Return the body; None if it has more than `most` bytes."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            return None
    return bytes(body)
