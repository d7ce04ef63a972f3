"""The hardened exchange on any HTTP client: the user's own, or a client that is created on first use and kept."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary, ref

from doorkey.errors import TransportError, UsageError
from doorkey.runtime.forks import ForkSafeLock
from doorkey.runtime.loops import running_loop
from doorkey.runtime.preload import preloaded
from doorkey.transport import made_clients, on_aiohttp
from doorkey.transport.calling_client import Proxied, RequestsCaller, calling_client, warn_of_proxy
from doorkey.transport.certificates import MADE_HERE, needs_another_client, no_certificate
from doorkey.transport.forked_pools import empty_in_children
from doorkey.transport.httpx_or_httpx2 import NAMES, library
from doorkey.transport.on_httpx import aexchange, exchange
from doorkey.transport.scrubbed_causes import detached
from doorkey.wire.limits import ExchangePolicy
from doorkey.wire.messages import Request, Response


@contextmanager
def sender(client: Any, policy: ExchangePolicy) -> Generator[Callable[[Request], Response]]:
    """Yield the blocking function that sends a request, through `client` or a client that is created here.

    client: a `requests.Session`, a `Client` of httpx2 or httpx, or None.
    policy: the bounds of each request.

    A call of the function raises `UsageError` for another kind of client, or if no HTTP library is installed.
    """
    owned = Sender(client, policy)
    try:
        yield owned.send
    finally:
        owned.close()


@asynccontextmanager
async def asender(client: Any, policy: ExchangePolicy) -> AsyncGenerator[Callable[[Request], Awaitable[Response]]]:
    """Yield the asynchronous function that sends a request, through `client` or a client that is created here.

    client: an `AsyncClient` of httpx2 or httpx, a `ClientSession` of aiohttp, or None.

    The other parameter and the errors are those of `sender`.
    """
    owned = AsyncSender(client, policy)
    try:
        yield owned.send
    finally:
        await owned.aclose()


def sender_for(client: Any, policy: ExchangePolicy) -> Callable[[Request], Response]:
    """Return the function that sends a request through a blocking `client`. Raises `UsageError` for an unknown kind."""
    lib = _httpx_of(client, "Client")
    if lib is not None:
        return partial(exchange, lib, client, policy=policy)
    if any(base.__module__ == "requests.sessions" for base in type(client).__mro__):
        from doorkey.transport.on_requests import exchange as exchange_on_requests

        return partial(exchange_on_requests, client, policy=policy)
    raise UsageError(f"this needs a requests.Session or a Client of httpx2 or httpx, not a {type(client).__name__}")


def asender_for(client: Any, policy: ExchangePolicy) -> Callable[[Request], Awaitable[Response]]:
    """Return the coroutine function that sends a request through an asynchronous `client`.

    Raises `UsageError` for an unknown kind of client.
    """
    if on_aiohttp.is_session(client):
        return partial(on_aiohttp.aexchange, client, policy=policy)

    return partial(aexchange, ahttpx_of(client), client, policy=policy)


def httpx_of(client: Any) -> Any:
    """Return the library of a blocking `client` of httpx2 or httpx. Raises `UsageError` for another client."""
    lib = _httpx_of(client, "Client")
    if lib is None:
        raise UsageError(f"this needs a Client of httpx2 or httpx, not a {type(client).__name__}")
    return lib


def ahttpx_of(client: Any) -> Any:
    """Return the library of an asynchronous `client` of httpx2 or httpx. Raises `UsageError` for another client."""
    lib = _httpx_of(client, "AsyncClient")
    if lib is None:
        raise UsageError(f"this needs an AsyncClient of httpx2 or httpx, not a {type(client).__name__}")
    return lib


def _httpx_of(client: Any, name: str) -> Any:
    """Return the library of `client` if it is an instance of a class `name` of httpx2 or httpx, else None."""
    for base in type(client).__mro__:
        root = base.__module__.partition(".")[0]
        if root in NAMES and base.__name__ == name:
            return library(root)
    return None


class Sender:
    """Sends requests through `client`, or a client of its own, which `close()` closes. Thread-safe and fork-safe."""

    def __init__(self, client: Any, policy: ExchangePolicy) -> None:
        self._given, self._policy = client, policy
        if client is not None:
            empty_in_children(client)
        self._made: Any = None
        self._mutex = ForkSafeLock()
        self._caller: RequestsCaller | None = None  # the last calling session, for renewals in a thread of their own
        self._has_warned = False

    def send(self, request: Request) -> Response:
        """Send `request` and return the bounded response.

        If no client was given and a session of requests needs the token, the request is sent on requests through the
        proxies of that session. Raises `TransportError` and `InvalidResponse`, and `UsageError` if the client does not
        have the certificate that the request needs.
        """
        if self._given is not None:
            return sender_for(self._given, self._policy)(request)
        caller = calling_client() or self._caller
        if isinstance(caller, RequestsCaller):
            self._caller = caller
            return self._send_for(caller, request)
        if caller is not None and not self._has_warned and caller(request.url):
            self._has_warned = True
            warn_of_proxy(request.url)
        if needs_another_client(request):
            raise no_certificate(request.url, MADE_HERE)
        return sender_for(self._own(), self._policy)(request)

    def _send_for(self, caller: RequestsCaller, request: Request) -> Response:
        with made_clients.requests_session(trust_env=caller.trust_env) as session:
            session.proxies.update(caller.proxies)
            session.cert = caller.cert if request.needs_certificate else None
            options = (*request.options, ("proxies", caller.of_call))
            return sender_for(session, self._policy)(request.with_options(options))

    def close(self) -> None:
        """Close the client that was created here."""
        with self._mutex:
            made, self._made = self._made, None
        if made is not None:
            made.close()

    def _own(self) -> Any:
        with self._mutex:
            if self._made is None:
                self._made = made_clients.new_client()
                empty_in_children(self._made)
            return self._made


class AsyncSender:
    """Sends requests through `client`, or through a client of its own for each event loop, without idle connections.

    advice: the fix in the message if `client` belongs to another event loop.
    """

    def __init__(
        self, client: Any, policy: ExchangePolicy, advice: str = "give no http_client, and each loop gets its own"
    ) -> None:
        self.client, self._policy, self._advice = client, policy, advice
        if client is not None:
            empty_in_children(client)
        self._made: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
        self._tls: ssl.SSLContext | None = None
        self._first_loop: ref[Any] | None = None  # the event loop in which the given client was first used
        self._caller: Proxied | None = None
        self._has_warned = False

    @property
    def needs_caller(self) -> bool:
        """Whether the calling client is unknown, and its proxy would cause a warning."""
        return self._caller is None and self.client is None and not self._has_warned

    def called_by(self, caller: Proxied) -> None:
        """Record the client whose call needs a token, for the warning about its proxy at the next request."""
        self._caller = caller

    async def send(self, request: Request) -> Response:
        """Send `request` and return the bounded response.

        Raises `TransportError` and `InvalidResponse`, and `UsageError` if the client does not have the certificate that
        the request needs.
        """
        await preloaded()
        if self.client is not None:
            exchange = asender_for(self.client, self._policy)
            loop = running_loop()
            if self._first_loop is None:
                self._first_loop = ref(loop)
            try:
                return await exchange(request)
            except RuntimeError as error:  # asyncio's error for a connection of another loop, or the transport's own
                failed = TransportError("the transport of the http_client failed with RuntimeError")
                if self._first_loop() is not loop:
                    failed = TransportError(
                        "the http_client was used in another event loop before, and may keep a connection of it: "
                        + self._advice,
                        retryable=True,
                    )
                failed.__cause__ = detached(error)
            raise failed
        caller, self._caller = self._caller, None
        if caller is not None and not self._has_warned and caller(request.url):
            self._has_warned = True
            warn_of_proxy(request.url)
        if needs_another_client(request):
            raise no_certificate(request.url, MADE_HERE)
        return await asender_for(await self._own(), self._policy)(request)

    async def aclose(self) -> None:
        """Close the client that was created here for this event loop."""
        made = self._made.pop(running_loop(), None)
        if made is not None:
            await made.aclose()

    async def _own(self) -> Any:
        from anyio import CapacityLimiter
        from anyio.to_thread import run_sync

        lib, loop = library(), running_loop()
        if self._tls is None:
            # Loading the certificate authorities takes tens of milliseconds, too long for an event loop. The limiter is
            # not shared, because all threads of the shared limiter may be waiting for this token.
            self._tls = await run_sync(made_clients.tls_context, lib, limiter=CapacityLimiter(1))
        if loop not in self._made:
            limits = lib.Limits(max_connections=100, max_keepalive_connections=0)
            self._made[loop] = lib.AsyncClient(verify=self._tls, limits=limits, mounts=made_clients.DIRECT)
        return self._made[loop]
