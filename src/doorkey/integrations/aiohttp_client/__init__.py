"""doorkey on aiohttp: `OAuth2Auth`, a client middleware."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from doorkey.auth.constructor import SignsRequests
from doorkey.auth.on_aiohttp import AiohttpAdapter

__all__ = ["OAuth2Auth"]


class OAuth2Auth(SignsRequests, AiohttpAdapter):
    """Sends a token with each request of a `ClientSession(middlewares=…)`. See `doorkey.auth.OAuth2Auth`."""

    async def __call__(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        """Send the request with the token, and return the response.

        request: the request of aiohttp.
        handler: sends the request; aiohttp passes it.

        If no token is available, raises the error of the renewal and does not send the request.
        """
        return await self._sign_and_send(request, handler)
