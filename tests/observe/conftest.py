"""Everything that has a token and tells of it, behind one face: `world` is each of them in turn."""

import re
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
import requests
from anyio.from_thread import BlockingPortal

from doorkey import ClientCredentials, OAuth2Auth, OAuthError
from doorkey.integrations.httpx_transport import (
    AsyncAuthenticatingTransportFactory,
    AsyncOAuthAuthorityClient,
    AuthenticatingTransportFactory,
    OAuthAuthorityClient,
)
from doorkey.observe import TokenEvent
from doorkey.stores import AsyncMemoryStore, MemoryStore
from doorkey.vault import AsyncTokenVault, TokenVault
from tests.support.every_adapter import KINDS, adapter_of, in_background, together
from tests.support.every_source import TLS
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import WAIT, Held, Hostile

SECRET, ACCESS, REFRESH, OLD = "s3cret-of-the-client", "access-t0ken", "refresh-t0ken", "old-t0ken"
SECRETS = (SECRET, ACCESS, REFRESH, OLD)


class Timer:
    """Seconds that pass when a test says so; it knows how often it was looked at."""

    def __init__(self) -> None:
        self.looks = 0
        self._now = 100.0
        self._changed = threading.Condition()

    def __call__(self) -> float:
        with self._changed:
            self.looks += 1
            self._changed.notify_all()
            return self._now

    def advance(self, seconds: float) -> None:
        with self._changed:
            self._now += seconds

    def wait_for(self, looks: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.looks >= looks, WAIT), f"{self.looks} looks, not {looks}"


class Events(list[TokenEvent]):
    """What was told; `on_event=events.append`."""

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self]

    def of(self, kind: str) -> list[TokenEvent]:
        return [event for event in self if event.kind == kind]


@dataclass(slots=True)
class World:
    """One user of tokens, whose first request needs a token request of `grant_type`."""

    call: Callable[[], int]
    """Send a request to the API, and return the status."""
    grant_type: str
    server: Hostile
    timer: Timer
    events: Events = field(default_factory=Events)


@contextmanager
def others_waiting(world: World, others: int, held: Held) -> Generator[Callable[[], list[Any]]]:
    """One call whose token request is `held`, and `others` that have begun to wait for it; what they all came to."""
    with in_background(world.call) as first:
        held.wait_for_arrival()
        looks = world.timer.looks
        with in_background(lambda: together(others, world.call)) as rest:
            world.timer.wait_for(looks + others)
            yield lambda: [_outcome(first), *rest()]


def _outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except OAuthError as error:
        return error


def options_of(world: World, **more: Any) -> dict[str, Any]:
    return {"on_event": world.events.append, "timer": world.timer, "clock": Clock(), **more}


@contextmanager
def of_a_session(name: str, world: World, portal: BlockingPortal, **more: Any) -> Generator[None]:
    """A session whose token has expired."""
    with adapter_of(name, portal) as adapter:
        token = {"access_token": OLD, "refresh_token": REFRESH, "expires_at": START - 1}
        client = adapter.client(
            "c", SECRET, token=token, token_endpoint=world.server.token_endpoint, **options_of(world, **more)
        )
        world.call = lambda: client.get(world.server.url()).status_code
        world.grant_type = "refresh_token"
        yield


@contextmanager
def of_an_auth_object(name: str, world: World, portal: BlockingPortal, **more: Any) -> Generator[None]:
    """An auth object that has no token yet, in a plain client."""
    auth: Any = OAuth2Auth(
        ClientCredentials("c", SECRET), token_endpoint=world.server.token_endpoint, **options_of(world, **more)
    )
    if name == "requests":
        with requests.Session() as session:
            world.call = lambda: session.get(world.server.url(), auth=auth).status_code
            yield
    elif name == "blocking":
        with httpx2.Client(auth=auth) as client:
            world.call = lambda: client.get(world.server.url()).status_code
            yield
    else:
        aclient = httpx2.AsyncClient(auth=auth)
        world.call = lambda: portal.call(aclient.get, world.server.url()).status_code
        yield
        portal.call(aclient.aclose)


@contextmanager
def of_a_transport(name: str, world: World, portal: BlockingPortal, **more: Any) -> Generator[None]:
    """A plain client whose transport asks an authority for its tokens."""
    options = options_of(world, openid_config={"token_endpoint": world.server.token_endpoint}, **more)
    credentials = ClientCredentials("c", SECRET)
    if name == "blocking":
        authority = OAuthAuthorityClient(httpx2.Client(verify=TLS), **options)
        transport = AuthenticatingTransportFactory(authority).authenticating_transport(None, credentials)
        with authority.http, httpx2.Client(transport=transport) as client:
            world.call = lambda: client.get(world.server.url()).status_code
            yield
    else:
        awaiting = AsyncOAuthAuthorityClient(httpx2.AsyncClient(verify=TLS), **options)
        atransport = AsyncAuthenticatingTransportFactory(awaiting).authenticating_transport(None, credentials)
        aclient = httpx2.AsyncClient(transport=atransport)
        world.call = lambda: portal.call(aclient.get, world.server.url()).status_code
        yield
        portal.call(aclient.aclose)
        portal.call(awaiting.http.aclose)


@contextmanager
def of_a_vault(name: str, world: World, portal: BlockingPortal, **more: Any) -> Generator[None]:
    """A key of a vault whose token has expired."""
    options = options_of(world, client_id="c", client_secret=SECRET, token_endpoint=world.server.token_endpoint, **more)
    token = {"access_token": OLD, "refresh_token": REFRESH, "expires_at": START - 1}
    world.grant_type = "refresh_token"
    if name == "blocking":
        with TokenVault(MemoryStore(), **options) as vault:
            vault.save("u", token)
            with vault.client("u", httpx2.Client) as client:
                world.call = lambda: client.get(world.server.url()).status_code
                yield
    else:
        awaiting = AsyncTokenVault(AsyncMemoryStore(), **options)
        portal.call(awaiting.save, "u", token)
        aclient = awaiting.client("u", httpx2.AsyncClient)
        world.call = lambda: portal.call(aclient.get, world.server.url()).status_code
        yield
        portal.call(aclient.aclose)
        portal.call(awaiting.aclose)


WORLDS: dict[str, tuple[Callable[..., Any], str]] = {
    **{f"session-{name}": (of_a_session, name) for name in KINDS},
    **{f"auth-{name}": (of_an_auth_object, name) for name in ("requests", "blocking", "awaiting")},
    **{f"transport-{name}": (of_a_transport, name) for name in ("blocking", "awaiting")},
    **{f"vault-{name}": (of_a_vault, name) for name in ("blocking", "awaiting")},
}
AWAITS = re.compile("async|awaiting")


@pytest.fixture
def server() -> Iterator[Hostile]:
    server = Hostile()
    yield server
    server.close()


@pytest.fixture
def timer() -> Timer:
    return Timer()


@pytest.fixture
def events() -> Events:
    return Events()


Made = Callable[..., World]


@pytest.fixture(params=list(WORLDS))
def made(request: pytest.FixtureRequest, portal: BlockingPortal, server: Hostile, timer: Timer) -> Iterator[Made]:
    """What makes the world in question, with options of its own."""
    with ExitStack() as stack:

        def make(**options: Any) -> World:
            world = World(lambda: 0, "client_credentials", server, timer)
            kind, name = WORLDS[request.param]
            stack.enter_context(kind(name, world, portal, **options))
            return world

        yield make


@pytest.fixture
def world(made: Made) -> World:
    return made()
