"""Transports, stores and sealers of one's own: what a checker takes on each library, and what it refuses."""

from typing import assert_type

import httpx
import httpx2

from doorkey import ClientCredentials, OAuthToken, ResourceOwnerCredentials
from doorkey.integrations.httpx_transport import (
    AsyncAuthenticatingTransportFactory,
    AsyncOAuthAuthorityClient,
    AuthenticatingTransportFactory,
    OAuthAuthorityClient,
)
from doorkey.stores import Lease, MemoryStore, Record, Sealer, Store
from doorkey.stores.protocol import AsyncStoreCalls, StoreCalls
from doorkey.vault import AsyncTokenVault, TokenVault

ROBOT = ClientCredentials("robot", "secret")
OWNER = ResourceOwnerCredentials("app", "secret")


def on_httpx(factory: AuthenticatingTransportFactory, client: httpx.Client) -> None:
    client._transport = factory.authenticating_transport(client._transport, ROBOT)  # as the documents have it
    httpx.Client(transport=factory.authenticating_transport(httpx.HTTPTransport(), ROBOT))
    httpx.Client(mounts={"https://": factory.resource_owner_transport(None, OWNER), "http://": None})
    httpx.Client(transport=factory.token_exchange_transport(None, ROBOT, lambda: "token", optional_exchange=True))


def on_httpx2(factory: AuthenticatingTransportFactory, client: httpx2.Client) -> None:
    client._transport = factory.authenticating_transport(client._transport, ROBOT)
    httpx2.Client(transport=factory.authenticating_transport(httpx2.HTTPTransport(), ROBOT))
    httpx2.Client(mounts={"https://": factory.resource_owner_transport(None, OWNER), "http://": None})
    httpx2.Client(transport=factory.token_exchange_transport(None, ROBOT, lambda: None))


async def awaited(
    factory: AsyncAuthenticatingTransportFactory, old: httpx.AsyncClient, new: httpx2.AsyncClient
) -> None:
    async def subject() -> str | None:
        return None

    old._transport = factory.authenticating_transport(old._transport, ROBOT)
    new._transport = factory.authenticating_transport(new._transport, ROBOT)
    httpx.AsyncClient(transport=factory.token_exchange_transport(None, ROBOT, subject))
    httpx2.AsyncClient(mounts={"https://": factory.resource_owner_transport(None, OWNER)})


async def worlds_do_not_mix(
    factory: AuthenticatingTransportFactory, awaiting: AsyncAuthenticatingTransportFactory
) -> None:
    blocks, awaits = (
        factory.authenticating_transport(None, ROBOT),
        awaiting.authenticating_transport(None, ROBOT),
    )
    httpx.Client(transport=awaits)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    httpx2.Client(transport=awaits)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    httpx.AsyncClient(transport=blocks)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    httpx2.AsyncClient(transport=blocks)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def authorities(authority: OAuthAuthorityClient, awaiting: AsyncOAuthAuthorityClient) -> None:
    assert_type(authority.get_token(ROBOT), OAuthToken)
    assert_type(await awaiting.get_token(ROBOT), OAuthToken)
    assert_type(authority.supports_grant("password"), bool)


class OwnStore:
    """A store of a user's own: the calls, and nothing of doorkey's."""

    def load(self, key: str) -> Record | None:
        return None

    def try_lease(self, key: str, seconds: float) -> Lease | None:
        return Lease(key, "me")

    def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        return expected + 1

    def release(self, lease: Lease) -> None:
        return None


class OwnAsyncStore:
    """The same, awaited."""

    async def load(self, key: str) -> Record | None:
        return None

    async def try_lease(self, key: str, seconds: float) -> Lease | None:
        return Lease(key, "me")

    async def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        return expected + 1

    async def release(self, lease: Lease) -> None:
        return None


class OwnSealing:
    """A sealer of another party, for its key service; the names of its arguments are its own."""

    def seal(self, name: str, clear: bytes) -> bytes:
        return clear

    def open(self, name: str, closed: bytes) -> bytes:
        return closed


def vaults(sealer: Sealer) -> None:
    store: StoreCalls = OwnStore()
    awaiting: AsyncStoreCalls = OwnAsyncStore()
    whole: Store = MemoryStore()
    TokenVault(store, client_id="app", token_endpoint="https://as.example/token", sealer=sealer)
    TokenVault(whole, client_id="app", token_endpoint="https://as.example/token", sealer=OwnSealing())
    AsyncTokenVault(awaiting, client_id="app", token_endpoint="https://as.example/token", sealer=sealer)
    TokenVault(awaiting, client_id="app")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
