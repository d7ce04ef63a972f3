"""The client middleware of aiohttp, ``(request, handler) -> response``. Does not import aiohttp.

aiohttp follows a redirect by calling its middlewares again, in the same task, with another request. The requests of one
call share a timer object. By it, the middleware recognizes a redirect to another origin, and sends no token there.
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
"""Redirects remembered for each task. A redirect that the client does not follow is never looked up and removed."""


class AiohttpAdapter:
    """Signs a request, and sends it once more with another token if the API rejects the first (RFC 6750 §3.1)."""

    _signer: RequestSigner

    async def _sign_and_send(self, request: Any, handler: Handler) -> Any:
        """Send the request with the token, or without it after a redirect from another origin; return the response."""
        from doorkey.auth.retry_after_401 import REDIRECTS
        from doorkey.wire.urls import origin_of

        signer = self._signer
        if not signer.is_plain:
            raise UsageError("on aiohttp the token is always sent in the header: omit token_placement= and hooks")
        here = origin_of(str(request.url))
        at_home = self._origin_of_call(request, here) == here
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
        from doorkey.wire.flow import awaited

        signer = self._signer
        sender = signer.sender_without_caller
        if sender is not None:
            from doorkey.transport.calling_client import aiohttp_request

            sender.called_by(aiohttp_request(request))
        token = await awaited(signer.token_async())
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
        """The redirects of each task: the timer of the call, and the origin of its first request.

        The origin is None after a redirect to another origin.
        """
        return WeakKeyDictionary()

    def _origin_of_call(self, request: Any, here: Origin) -> Origin | None:
        """Return the origin of the call's first request: `here`, unless `request` follows a redirect."""
        if not hasattr(request, "_timer"):
            raise UsageError(
                "this release of aiohttp does not show which request follows a redirect: use another release"
            )
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
    """Return whether the `Authorization` header comes from a `.netrc` file. Such a header does not replace the token.

    A session with `trust_env` reads that file. aiohttp does not report where a header comes from, so the header is
    compared with the file's entry for the host.
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
    """Return whether the body can be sent again: there is no body, or it is text or bytes.

    A stream, a file or a multipart form has been consumed.
    """
    body = request.body
    if body is None or body == b"":
        return True
    return isinstance(getattr(body, "_value", body), bytes | bytearray | memoryview | str)
