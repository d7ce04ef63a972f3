"""What aiohttp calls on a client middleware: ``(request, handler) -> response``. Imports nothing of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from doorkey.errors import UsageError

if TYPE_CHECKING:
    from doorkey.integrations.bearer import Bearer
    from doorkey.protocol.endpoint import Origin


class AiohttpFace:
    """Signs a request, and sends it once more with another token when the API answers 401 (RFC 6750 §3.1)."""

    _bearer: Bearer

    async def sign_and_send(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        """Return the response to the request with the token in it."""
        bearer = self._bearer
        if not bearer.is_plain:
            raise UsageError("on aiohttp the token goes into the header: leave token_placement and hooks out")
        if self._led_elsewhere(request) or bearer.leaves_alone(request.url, request.headers):
            return await handler(request)
        token = await bearer.afresh()
        request.headers["Authorization"] = bearer.header(token)
        response = await handler(request)
        if response.status != 401 or not _can_repeat(request):
            return response
        try:
            other = await bearer.aanother(token)
        except BaseException:
            response.release()
            raise
        if other is None:
            return response
        response.release()
        request.headers["Authorization"] = bearer.header(other)
        return await handler(request)

    @cached_property
    def _began(self) -> WeakKeyDictionary[Any, Origin | None]:
        return WeakKeyDictionary()

    def _led_elsewhere(self, request: Any) -> bool:
        """Say whether a redirect led here from another origin, or came by one: no token goes there.

        aiohttp follows redirects by calling its middlewares again, with another request. What the requests of one call
        have in common is their timer.
        """
        from doorkey.protocol.endpoint import origin_of

        timer, here = getattr(request, "_timer", None), origin_of(str(request.url))
        if timer is None:
            raise UsageError("this release of aiohttp does not say which requests follow a redirect: use another one")
        began = self._began.setdefault(timer, here)
        if began != here:
            self._began[timer] = None
        return began != here


def _can_repeat(request: Any) -> bool:
    """Say whether the body is there to be sent again: none, or bytes; a stream, a file or a multipart form is spent."""
    body = request.body
    if body is None or body == b"":
        return True
    return isinstance(getattr(body, "_value", body), bytes | bytearray | memoryview | str)
