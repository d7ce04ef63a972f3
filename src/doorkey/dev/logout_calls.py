"""The logout tokens that a provider posts to its clients (OpenID Connect Back-Channel Logout §2.5)."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from doorkey.dev.local_http import sent
from doorkey.errors import TransportError
from doorkey.runtime.forks import ForkSafeLock
from doorkey.server.ended_sessions import SendLogoutToken
from doorkey.wire.messages import FORM, Request

KEPT = 1000
SECONDS = 5.0
"""The timeout for each step of a connection, so that a client that does not respond delays the others little."""


@dataclass(frozen=True, slots=True)
class LogoutCall:
    """A logout token that was posted to `uri`. `status` is the status of the response, or None without a response."""

    uri: str
    status: int | None


class LogoutCalls:
    """The last 1,000 calls, in the order of their responses. Thread-safe.

    tls: the TLS context for https; None: a context that trusts the system's certificates.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._calls: deque[LogoutCall] = deque(maxlen=KEPT)
        self._lock = ForkSafeLock()
        self.tls = tls

    def post(self, order: SendLogoutToken) -> LogoutCall:
        """Post one token, and return the call with the status of the response."""
        parts = urlsplit(order.uri)
        secure = parts.scheme == "https"
        address = (parts.hostname or "", parts.port or (443 if secure else 80))
        request = Request("POST", order.uri, (("Content-Type", FORM),), (("logout_token", order.token),))
        tls = (self.tls or ssl.create_default_context()) if secure else None
        try:
            status: int | None = sent(request, address, tls, SECONDS).status
        except TransportError:
            status = None
        call = LogoutCall(order.uri, status)
        with self._lock:
            self._calls.append(call)
        return call

    async def post_all(self, orders: Iterable[SendLogoutToken]) -> None:
        """Post several tokens concurrently, each in a thread, and return when each has a response or has failed."""
        await asyncio.gather(*(asyncio.to_thread(self.post, order) for order in orders))

    def __iter__(self) -> Iterator[LogoutCall]:
        with self._lock:
            return iter(tuple(self._calls))

    def __len__(self) -> int:
        return len(self._calls)
