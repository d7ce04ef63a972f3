"""The hardened exchange on whichever HTTP client there is: the user's own, or one made for the occasion."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any

from doorkey.errors import UsageError
from doorkey.integrations._httpx import NAMES, library
from doorkey.protocol.exchange import ExchangePolicy
from doorkey.protocol.http import Request, Response


@contextmanager
def sender(client: Any, policy: ExchangePolicy) -> Generator[Callable[[Request], Response]]:
    """Give what sends a request and blocks, through `client` or one made here.

    Raises `UsageError` for a client of an unknown kind, and where no HTTP library is installed.
    """
    from doorkey.integrations.owned import OwnedSender

    owned = OwnedSender(client, policy)
    try:
        yield owned.send
    finally:
        owned.close()


@asynccontextmanager
async def asender(client: Any, policy: ExchangePolicy) -> AsyncGenerator[Callable[[Request], Awaitable[Response]]]:
    """Give what sends a request and awaits, through `client` or one made here. Raises as `sender` does."""
    from doorkey.integrations.owned import OwnedAsyncSender

    owned = OwnedAsyncSender(client, policy)
    try:
        yield owned.send
    finally:
        await owned.aclose()


def through(client: Any, policy: ExchangePolicy) -> Callable[[Request], Response]:
    """Return what sends a request through a blocking `client`. Raises `UsageError` for an unknown kind."""
    lib = _httpx_of(client, "Client")
    if lib is not None:
        from doorkey.integrations.httpx_client.exchange import exchange

        return partial(exchange, lib, client, policy=policy)
    if any(base.__module__ == "requests.sessions" for base in type(client).__mro__):
        from doorkey.integrations.requests_client.exchange import exchange as exchange_on_requests

        return partial(exchange_on_requests, client, policy=policy)
    raise UsageError(f"this needs a requests.Session or a Client of httpx2 or httpx, not a {type(client).__name__}")


def httpx_of(client: Any) -> Any:
    """Return the library of a blocking `client` of httpx2 or httpx. Raises `UsageError` for another kind."""
    lib = _httpx_of(client, "Client")
    if lib is None:
        raise UsageError(f"this needs a Client of httpx2 or httpx, not a {type(client).__name__}")
    return lib


def ahttpx_of(client: Any) -> Any:
    """Return the library of an asynchronous `client`. Raises `UsageError` for an unknown kind."""
    lib = _httpx_of(client, "AsyncClient")
    if lib is None:
        raise UsageError(f"this needs an AsyncClient of httpx2 or httpx, not a {type(client).__name__}")
    return lib


def _httpx_of(client: Any, name: str) -> Any:
    """Return the library whose client class `name` this is an instance of, or None."""
    for base in type(client).__mro__:
        root = base.__module__.partition(".")[0]
        if root in NAMES and base.__name__ == name:
            return library(root)
    return None
