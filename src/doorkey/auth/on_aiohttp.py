"""The client middleware of aiohttp, ``(request, handler) -> response``. Does not import aiohttp.

aiohttp follows a redirect by calling its middlewares again, in the same task, with another request. What the requests
of one call have in common is their timer: by it a middleware tells where a redirect has led, and sends no token there.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Awaitable, Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from weakref import WeakKeyDictionary

from doorkey.errors import UsageError

if TYPE_CHECKING:
    from doorkey.auth.signer import RequestSigner
    from doorkey.wire.urls import Origin

Handler: TypeAlias = Callable[[Any], Awaitable[Any]]

_MOST: Final = 16
"""Redirects that a task remembers: those it does not follow leave no other trace."""


class AiohttpAdapter:
    """Signs a request, and sends it once more with another token when the API answers 401 (RFC 6750 §3.1)."""

    _signer: RequestSigner

    async def _sign_and_send(self, request: Any, handler: Handler) -> Any:
        """Return the response to the request with the token in it; after a redirect from another origin, without."""
        from doorkey.auth.signer import REDIRECTS
        from doorkey.wire.urls import origin_of

        signer = self._signer
        if not signer.is_plain:
            raise UsageError("on aiohttp the token goes into the header: use neither token_placement= nor hooks")
        here = origin_of(str(request.url))
        at_home = self._began(request, here) == here
        if await _is_of_netrc(request):
            del request.headers["Authorization"]
        if not at_home or signer.has_own_authorization(request.url, request.headers):
            response = await handler(request)
        else:
            response = await self._send_signed(request, handler)
        if response.status in REDIRECTS:
            redirects = self._redirects.setdefault(_task(), [])
            redirects.append((request._timer, here if at_home else None))
            del redirects[:-_MOST]
        return response

    async def _send_signed(self, request: Any, handler: Handler) -> Any:
        from doorkey.auth.signer import maybe_await

        signer = self._signer
        sender = signer.unadvised_sender
        if sender is not None:
            from doorkey.transport.calling_client import aiohttp_request

            sender.called_by(aiohttp_request(request))
        token = await maybe_await(signer.token_async())
        request.headers["Authorization"] = signer.header(token)
        response = await handler(request)
        if not signer.is_rejection(response.status, response.headers):
            signer.answered(token, response.status, response.headers, request.url)
            return response
        try:
            other = await signer.replacement_async(token, request.url, wanted=_can_repeat(request))
        except BaseException:
            response.release()
            raise
        if other is None:
            return response
        response.release()
        request.headers["Authorization"] = signer.header(other)
        response = await handler(request)
        signer.answered(other, response.status, response.headers, request.url)
        return response

    @cached_property
    def _redirects(self) -> WeakKeyDictionary[Any, list[tuple[Any, Origin | None]]]:
        """The redirects of each task: the timer of the call, and where it began; None once it has left that."""
        return WeakKeyDictionary()

    def _began(self, request: Any, here: Origin) -> Origin | None:
        """Return the origin where the call began that `request` is part of: `here`, unless a redirect led here."""
        if not hasattr(request, "_timer"):
            raise UsageError("this release of aiohttp does not tell which request follows a redirect: use another one")
        redirects = self._redirects.get(_task(), [])
        for index, (timer, began) in enumerate(redirects):
            if timer is request._timer:
                del redirects[index]
                return began
        return here


def _task() -> Any:
    import asyncio

    return asyncio.current_task()


async def _is_of_netrc(request: Any) -> bool:
    """Return whether the `Authorization` comes from a `.netrc` that a session with `trust_env` has read; it replaces no
    token.

    aiohttp does not report the origin of a header, so it is compared with the entry of the host.
    """
    there: str = request.headers.get("Authorization", "")
    if not there.startswith("Basic ") or not request.session.trust_env:
        return False
    import asyncio

    return there == await asyncio.to_thread(_netrc_for, request.url.host)


def _netrc_for(host: str) -> str | None:
    from netrc import NetrcParseError, netrc

    file = Path(os.environ.get("NETRC") or Path.home() / ("_netrc" if os.name == "nt" else ".netrc"))
    try:
        found = netrc(file).authenticators(host)
    except (OSError, NetrcParseError):
        return None
    if found is None:
        return None
    login, account, password = found
    return f"Basic {b64encode(f'{login or account}:{password or str()}'.encode('latin-1', 'replace')).decode()}"


def _can_repeat(request: Any) -> bool:
    """Say whether the body is there to be sent again: none, or bytes; a stream, a file or a multipart form is spent."""
    body = request.body
    if body is None or body == b"":
        return True
    return isinstance(getattr(body, "_value", body), bytes | bytearray | memoryview | str)
