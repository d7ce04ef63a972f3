"""Senders for those who have no HTTP client of their own at hand: one is made on first use, and kept."""

from __future__ import annotations

import os
import ssl
import threading
from importlib.util import find_spec
from typing import Any
from weakref import WeakKeyDictionary, ref

from doorkey.ahead import ready
from doorkey.errors import TransportError, UsageError
from doorkey.forks import after_fork
from doorkey.integrations._httpx import installed, library
from doorkey.integrations.senders import ahttpx_of, through
from doorkey.protocol.exchange import ExchangePolicy
from doorkey.protocol.http import Request, Response
from doorkey.shield import running_loop


class OwnedSender:
    """Sends requests through `client`, or through one of its own that `close()` closes; survives threads and forks."""

    def __init__(self, client: Any, policy: ExchangePolicy) -> None:
        self._given, self._policy = client, policy
        self._made: Any = None
        self._made_in = 0
        self.reset_in_child()
        after_fork(self, OwnedSender.reset_in_child)

    def reset_in_child(self) -> None:
        """Make a new lock: in a child of fork(), whoever held the old one is gone."""
        self._mutex = threading.Lock()

    def send(self, request: Request) -> Response:
        """Send `request` and return the bounded response."""
        client = self._given if self._given is not None else self._own()
        return through(client, self._policy)(request)

    def close(self) -> None:
        """Close the client that was made here."""
        with self._mutex:
            made, self._made = self._made, None
        if made is not None:
            made.close()

    def _own(self) -> Any:
        with self._mutex:
            if self._made is None or self._made_in != os.getpid():  # a child must not use its parent's sockets
                self._made, self._made_in = new_client(), os.getpid()
            return self._made


class OwnedAsyncSender:
    """Sends requests through `client`, or through one for each event loop, which keeps no idle connection.

    `advice` says what helps where `client` is of another loop.
    """

    def __init__(
        self, client: Any, policy: ExchangePolicy, advice: str = "give no http_client, and each loop gets its own"
    ) -> None:
        self.client, self._policy, self._advice = client, policy, advice
        self._made: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
        self._tls: ssl.SSLContext | None = None
        self._home: ref[Any] | None = None  # the event loop in which the given client was first used

    async def send(self, request: Request) -> Response:
        """Send `request` and return the bounded response."""
        await ready()
        from doorkey.integrations.httpx_client.exchange import aexchange

        if self.client is not None:
            loop = running_loop()
            if self._home is None:
                self._home = ref(loop)
            try:
                return await aexchange(ahttpx_of(self.client), self.client, request, self._policy)
            except RuntimeError as error:  # what asyncio says of a connection of another loop; or a transport's own
                if self._home() is loop:
                    raise TransportError("the transport of the http_client failed with RuntimeError") from error
                raise TransportError(
                    "the http_client was used in another event loop before, and may keep a connection of that: "
                    + self._advice,
                    retryable=True,
                ) from error
        return await aexchange(library(), await self._own(), request, self._policy)

    async def aclose(self) -> None:
        """Close the client that was made here for this event loop."""
        made = self._made.pop(running_loop(), None)
        if made is not None:
            await made.aclose()

    async def _own(self) -> Any:
        from anyio import CapacityLimiter
        from anyio.to_thread import run_sync

        lib, loop = library(), running_loop()
        if self._tls is None:
            # Loading the certificate authorities takes tens of milliseconds, which an event loop does not have.
            # Beyond the limit that others share: who has all of those threads may be waiting for this very token.
            self._tls = await run_sync(lib.create_ssl_context, limiter=CapacityLimiter(1))
        if loop not in self._made:
            limits = lib.Limits(max_connections=100, max_keepalive_connections=0)
            self._made[loop] = lib.AsyncClient(verify=self._tls, limits=limits)
        return self._made[loop]


def new_client() -> Any:
    """Return a blocking client of the first HTTP library that is installed. Raises `UsageError` without any."""
    if installed():
        lib = library()
        # Tokens are asked for now and then: an idle connection would be dead by then, and nobody might close it.
        return lib.Client(limits=lib.Limits(max_connections=100, max_keepalive_connections=0))
    if find_spec("requests") is not None:
        import requests

        return requests.Session()
    raise UsageError("no HTTP library is installed: pip install 'doorkey[httpx2]', or 'doorkey[requests]'")
