"""doorkey on aiohttp: `OAuth2Auth`, a client middleware."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from doorkey.auth.on_aiohttp import AiohttpAdapter
from doorkey.values import NotPicklable

__all__ = ["OAuth2Auth"]


class OAuth2Auth(AiohttpAdapter, NotPicklable):
    """Sends a token with each request, and another one when the API refuses it; see `doorkey.auth.OAuth2Auth`.

    `token` is a client of httpx2 or httpx that awaits, a token source, credentials, or a mapping as `fetch_token`
    returns it. Give it in `middlewares=` to a `ClientSession`.
    """

    def __init__(self, token: Any, *, allowed_origins: Iterable[str] | None = None, **how: Any) -> None:
        from doorkey.auth.signer import signer_for

        self._signer = signer_for(token, allowed_origins=allowed_origins, **how)

    async def __call__(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        """Return the response to the signed request. Raises the renewal's error rather than do without."""
        return await self.sign_and_send(request, handler)
