"""The APIs of the tests: one server, one clock, and the guards of every framework."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from doorkey.resource import AccessTokenVerifier, AsyncAccessTokenVerifier
from tests.support.fake_clock import Clock
from tests.support.guarded_apis import AWAITING, BLOCKING, Api
from tests.support.resource_server import API, ISSUER, Net, Server

Make = Callable[..., Api]

KINDS = [
    *((name, AccessTokenVerifier) for name in (*BLOCKING, *AWAITING)),
    *((name, AsyncAccessTokenVerifier) for name in AWAITING),
]


def verifier_of(kind: type, server: Server, clock: Clock, **options: Any) -> Any:
    """A verifier of this kind, for tokens of `server`."""
    transport: Any = httpx2.MockTransport(Net(server, Server("https://other.example")))
    client = httpx2.Client if kind is AccessTokenVerifier else httpx2.AsyncClient
    arguments: dict[str, Any] = {"issuer": ISSUER, "audience": API, "clock": clock, **options}
    return kind(http_client=client(transport=transport), **arguments)


def maker(name: str, kind: type, server: Server, clock: Clock) -> Make:
    """A function that makes the API of the framework `name`, with a verifier of this kind."""

    def made(verifier: dict[str, Any] | None = None, **options: Any) -> Api:
        options.setdefault("resource", API)
        return (BLOCKING | AWAITING)[name](verifier_of(kind, server, clock, **(verifier or {})), **options)

    return made


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module", params=KINDS, ids=[f"{name}-{kind.__name__[:5]}" for name, kind in KINDS])
def kind(request: pytest.FixtureRequest) -> tuple[str, type]:
    """A framework, and a verifier that it takes."""
    found: tuple[str, type] = request.param
    return found


@pytest.fixture
def make(kind: tuple[str, type], server: Server, clock: Clock) -> Make:
    """Makes the API of the framework."""
    return maker(*kind, server, clock)


@pytest.fixture(scope="module")
def api(kind: tuple[str, type]) -> Api:
    """The API that the tests of one framework share: requests do not change it."""
    return maker(*kind, Server(), Clock())(realm="orders")


@pytest.fixture(params=[AccessTokenVerifier, AsyncAccessTokenVerifier], ids=["blocking", "awaiting"])
def verifier(request: pytest.FixtureRequest, server: Server, clock: Clock) -> Any:
    """A verifier that blocks or awaits."""
    return verifier_of(request.param, server, clock)


@pytest.fixture
def blocking(server: Server, clock: Clock) -> AccessTokenVerifier:
    """A verifier that blocks."""
    found: AccessTokenVerifier = verifier_of(AccessTokenVerifier, server, clock)
    return found


@pytest.fixture
def awaiting(server: Server, clock: Clock) -> AsyncAccessTokenVerifier:
    """A verifier that awaits."""
    found: AsyncAccessTokenVerifier = verifier_of(AsyncAccessTokenVerifier, server, clock)
    return found
