"""What aiohttp calls on a client middleware: ``(request, handler) -> response``. Imports nothing of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from doorkey.errors import UsageError

if TYPE_CHECKING:
    from doorkey.integrations.bearer import Bearer


class AiohttpFace:
    """Signs a request, and sends it once more with another token when the API answers 401 (RFC 6750 §3.1)."""

    _bearer: Bearer

    async def sign_and_send(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        """Return the response to the request with the token in it."""
        bearer = self._bearer
        if not bearer.is_plain:
            raise UsageError("on aiohttp the token goes into the header: leave token_placement and hooks out")
        if bearer.leaves_alone(request.url, request.headers):
            return await handler(request)
        token = await bearer.afresh()
        request.headers["Authorization"] = bearer.header(token)
        response = await handler(request)
        if response.status != 401 or not _can_repeat(request):
            return response
        other = await bearer.aanother(token)
        if other is None:
            return response
        response.release()
        request.headers["Authorization"] = bearer.header(other)
        return await handler(request)


def _can_repeat(request: Any) -> bool:
    """Say whether the body is there to be sent again: none, or bytes; a stream or a file is spent."""
    body = request.body
    value = getattr(body, "_value", body)
    return value is None or isinstance(value, bytes | bytearray | memoryview | str) or not value
