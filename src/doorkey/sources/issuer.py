"""`Issuer`: an authorization server, with its metadata and its keys, as one object that a program can share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from doorkey import arguments
from doorkey.jose.key_sources import AsyncKeysOfIssuer, KeysOfIssuer
from doorkey.protocol.metadata import ServerMetadata
from doorkey.runtime.clock import wall_time
from doorkey.sources.drivers import AwaitingDriver, BlockingDriver
from doorkey.sources.fetched_once.key_times import KeyTimes
from doorkey.sources.key_source import AsyncKeySource, KeySource
from doorkey.sources.shared_issuer import SharedIssuer
from doorkey.values import clears_locals
from doorkey.wire.flow import Flow
from doorkey.wire.limits import ExchangePolicy, policy_of
from doorkey.wire.urls import shown_url

if TYPE_CHECKING:
    from doorkey.jose.keys import Key

T = TypeVar("T")


class Issuer(SharedIssuer, KeysOfIssuer, AsyncKeysOfIssuer):
    """An authorization server: its metadata and its keys, fetched once for all users of this object.

    Sessions, token sources, vaults and verifiers accept it as `issuer=`. Threads, tasks and event loops may share it.

    issuer: the issuer's URL, exactly as its metadata names it.
    metadata: the metadata of the issuer, in place of discovery: the result of `discover(issuer)`, or a mapping.
    keys: fixed keys, in a form that `jwt.decode` accepts. With `metadata` too, nothing is fetched.
    http_client: a blocking or asynchronous client, whose transports send the requests. Calls of the other kind then
        raise `UsageError`. None: one client of each kind is created here.
    exchange, cool_down, max_age, max_stale, clock: as for `KeySource`.

    Raises `UsageError` for a URL that cannot be an issuer (RFC 8414 §2).
    """

    @clears_locals
    def __init__(
        self,
        issuer: str,
        *,
        metadata: ServerMetadata | Mapping[str, Any] | None = None,
        keys: object = None,
        http_client: Any = None,
        exchange: ExchangePolicy | None = None,
        cool_down: float | None = None,
        max_age: float | None = None,
        max_stale: float | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        from doorkey.sources.issuer_core import core_of  # deferred, because it imports cryptography

        self._policy = policy_of(exchange)
        self._clock = wall_time if clock is None else clock
        arguments.clock(self._clock)
        times = KeyTimes.of(cool_down, max_age, max_stale)
        self._core = core_of(arguments.text(issuer, "the issuer"), metadata, self._policy, keys=keys, times=times)
        assert self._core.server is not None, "core_of returns a server for an issuer"
        self._server = self._core.server
        self._has_given_metadata = metadata is not None
        self._blocking = BlockingDriver(http_client, self._policy)
        self._awaiting = AwaitingDriver(http_client, self._policy)
        self._keys = KeySource._on(self._core.keys, self._blocking, self._clock)
        self._akeys = AsyncKeySource._on(self._core.keys, self._awaiting, self._clock)

    @property
    def issuer(self) -> str:
        """The issuer's URL."""
        return self._server.issuer or ""

    @property
    def keys(self) -> KeySource:
        """The issuer's keys, for blocking code."""
        return self._keys

    @property
    def akeys(self) -> AsyncKeySource:
        """The issuer's keys, for async code. `keys` and `akeys` share the fetched keys."""
        return self._akeys

    def metadata(self) -> ServerMetadata:
        """Return the given metadata, otherwise the discovered metadata. Discovery is repeated when it expires.

        Raises the errors of `discover`.
        """
        return self._blocking.run(self._metadata())

    async def ametadata(self) -> ServerMetadata:
        """Return the metadata, for async code. See `metadata`, also for the errors raised."""
        return await self._awaiting.run(self._metadata())

    def checked(self, check: Callable[[tuple[Key, ...]], T]) -> T:
        """Return the result of `check`. See `KeySource.checked`. With this method, `jwt.decode` accepts an `Issuer` as
        its keys.

        check: called with the keys, as a tuple.
        """
        return self._keys.checked(check)

    async def achecked(self, check: Callable[[tuple[Key, ...]], T]) -> T:
        """Return the result of `check`. See `AsyncKeySource.achecked`.

        check: called with the keys, as a tuple.
        """
        return await self._akeys.achecked(check)

    def retry_now(self) -> None:
        """End the pause after a failed fetch of metadata or keys, for all users of this issuer.

        During the pause, the raised errors have `retry_at`. After this call, the next caller makes a request.
        """
        self._server.retry_now()
        self._core.keys.retry_now()

    def close(self) -> None:
        """Close the blocking HTTP client if it was created here. A client that was passed in stays open."""
        self._blocking.close()

    async def aclose(self) -> None:
        """Close the HTTP clients that were created here; the asynchronous client is closed for this event loop only."""
        self._blocking.close()
        await self._awaiting.aclose()

    def __enter__(self) -> Issuer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Issuer:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<Issuer {shown_url(self.issuer)}>"

    def _metadata(self) -> Flow[ServerMetadata]:
        if self._has_given_metadata:
            return self._server.given
        return (yield from self._server.metadata(self._clock))
