"""Every kind of token source behind one interface, so that a test is written once. A `Driven` blocks on each kind."""

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
import httpx2
import requests
from anyio.from_thread import BlockingPortal

from doorkey import AsyncTokenSource, TokenSource
from doorkey.sources.core import SourceCore
from doorkey.tokens import OAuthToken
from tests.support.fake_clock import Clock
from tests.support.flights import Watched
from tests.support.hostile_server import WAIT

TLS = ssl.create_default_context()  # takes longer than most tests: one serves them all


@dataclass(frozen=True, slots=True)
class Kind:
    """A source class, the loop that it runs on (None: it blocks), and the client that it is given (None: its own)."""

    name: str
    backend: str | None
    client: Callable[[], Any] | None = None


KINDS = {
    kind.name: kind
    for kind in (
        Kind("blocking", None),
        Kind("requests", None, requests.Session),
        Kind("httpx2", None, partial(httpx2.Client, verify=TLS)),
        Kind("httpx", None, partial(httpx.Client, verify=TLS)),
        Kind("asyncio", "asyncio"),
        Kind("trio", "trio"),
        Kind("httpx2-async", "asyncio", partial(httpx2.AsyncClient, verify=TLS)),
        Kind("httpx-trio", "trio", partial(httpx.AsyncClient, verify=TLS)),
    )
}
ONE_OF_EACH = ("requests", "asyncio", "trio")
"""For tests of what no HTTP library has a say in."""


class Driven:
    """A source whose every call blocks; `native` is the source itself, `sleeps` the pauses that it has asked for."""

    def __init__(self, kind: Kind, portal: BlockingPortal | None, credentials: Any, options: dict[str, Any]) -> None:
        self._portal = portal
        self.sleeps: list[float] = []
        self.client = kind.client() if kind.client else None
        how: dict[str, Any] = {"random": lambda: 1.0, **options}
        if self.client is not None:
            how.setdefault("http_client", self.client)
        make: Any = TokenSource if portal is None else AsyncTokenSource
        how.setdefault("sleep", self._sleep if portal is None else self._asleep)
        if isinstance(credentials, SourceCore):  # which the caller has given its options
            make = make._on
            how.pop("random")
        self.native: Any = make(credentials, **how)

    def _sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)

    async def _asleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)

    def watched(self) -> Watched:
        """Have a lock, before it is used, that tells who has queued: who has shares the outcome, and is not late."""
        lock = self.native._flight._lock = Watched()
        return lock

    def token(self) -> OAuthToken:
        token: OAuthToken = self.call(self.native.token)
        return token

    def access_token(self) -> str:
        return self.token().access_token.reveal()

    def reject(self, token: OAuthToken) -> bool:
        said: bool = self.native.reject(token)
        return said

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        return function(*args) if self._portal is None else self._portal.call(function, *args)

    def close(self) -> None:
        self.call(self.native.close if self._portal is None else self.native.aclose)
        if self.client is not None:
            self.call(self.client.close if self._portal is None else self.client.aclose)


@dataclass(slots=True)
class Maker:
    """Makes sources of one kind, and closes them after the test."""

    kind: Kind
    portal: BlockingPortal | None
    _made: list[Driven] = field(default_factory=list[Driven])

    def __call__(self, credentials: Any, **options: Any) -> Driven:
        driven = Driven(self.kind, self.portal, credentials, options)
        self._made.append(driven)
        return driven

    def close(self) -> None:
        for driven in self._made:
            driven.close()


class Counting(Clock):
    """A clock that tells when `times` callers have looked at it: a source looks before it does anything."""

    def __init__(self) -> None:
        super().__init__()
        self._left = 0
        self._lock = threading.Lock()
        self.all_here = threading.Event()

    def __call__(self) -> float:
        with self._lock:
            self._left -= 1
            if self._left == 0:
                self.all_here.set()
        return super().__call__()

    def expect(self, times: int) -> None:
        with self._lock:
            self._left = times
            self.all_here.clear()

    def wait(self) -> None:
        assert self.all_here.wait(WAIT), "not all requests arrived"
