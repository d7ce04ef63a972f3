"""The transports of both libraries and their async twins behind one face, so that a test is written once."""

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import httpx
import httpx2
import pytest
from anyio.from_thread import BlockingPortal

from doorkey.integrations.httpx_transport import (
    AsyncAuthenticatingTransportFactory,
    AsyncOAuthAuthorityClient,
    AuthenticatingTransportFactory,
    OAuthAuthorityClient,
)
from doorkey.tokens import OAuthToken
from tests.support.every_source import TLS
from tests.support.hostile_server import Hostile, Reply

LIBRARIES: dict[str, ModuleType] = {"httpx2": httpx2, "httpx": httpx}
WORLDS: dict[str, tuple[str, str | None]] = {
    "httpx2": ("httpx2", None),
    "httpx": ("httpx", None),
    "httpx2-asyncio": ("httpx2", "asyncio"),
    "httpx-trio": ("httpx", "trio"),
}


class World:
    """One library, blocking or awaiting; every call blocks."""

    def __init__(self, library: ModuleType, portal: BlockingPortal | None) -> None:
        self.library: Any = library
        self.is_async = portal is not None
        self._portal = portal
        self._clients: list[Any] = []

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        return function(*args) if self._portal is None else self._portal.call(function, *args)

    def client(self, **options: Any) -> Any:
        make = self.library.AsyncClient if self.is_async else self.library.Client
        self._clients.append(make(**{"verify": TLS, **options}))
        return self._clients[-1]

    def transport(self) -> Any:
        return (self.library.AsyncHTTPTransport if self.is_async else self.library.HTTPTransport)(verify=TLS)

    @property
    def authority_class(self) -> Any:
        return AsyncOAuthAuthorityClient if self.is_async else OAuthAuthorityClient

    def authority(self, hostile: Hostile, *answers: Reply, **options: Any) -> Any:
        """An authority on the hostile server, whose token endpoint answers so."""
        hostile.on("/token", *answers)
        known = {"issuer": hostile.url(""), "token_endpoint": hostile.token_endpoint}
        return self.authority_class(self.client(base_url=hostile.url("")), **{"openid_config": known, **options})

    def factory(self, authority: Any, **options: Any) -> Any:
        kind: Any = AsyncAuthenticatingTransportFactory if self.is_async else AuthenticatingTransportFactory
        return kind(authority, **options)

    def api(self, hostile: Hostile, transport: Any, **options: Any) -> Any:
        return self.client(base_url=hostile.url(""), transport=transport, **options)

    def get(self, client: Any, url: str = "/api", method: str = "GET", **options: Any) -> Any:
        async def sent() -> Any:
            return await client.request(method, url, **options)

        return self.run(sent) if self.is_async else client.request(method, url, **options)

    def token(self, authority: Any, credentials: Any) -> OAuthToken:
        token: OAuthToken = self.run(authority.get_token, credentials)
        return token

    def function(self, work: Callable[[], Any]) -> Callable[[], Any]:
        """`work` as a callable of this world: a coroutine function where it awaits."""
        if not self.is_async:
            return work

        async def awaited() -> Any:
            return work()

        return awaited

    def chunks(self, *pieces: bytes) -> Any:
        async def achunks() -> Any:
            for piece in pieces:
                yield piece

        return achunks() if self.is_async else iter(pieces)

    def close(self) -> None:
        for client in self._clients:
            self.run(client.aclose if self.is_async else client.close)


@pytest.fixture(params=list(WORLDS))
def world(request: pytest.FixtureRequest, portals: dict[str, BlockingPortal]) -> Iterator[World]:
    """Each library, blocking and awaiting."""
    name, backend = WORLDS[request.param]
    made = World(LIBRARIES[name], portals[backend] if backend else None)
    yield made
    made.close()
