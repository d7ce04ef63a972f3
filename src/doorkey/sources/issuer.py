"""`Issuer`: an authorization server as a value that a program holds and shares, with its metadata and its keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from doorkey import arguments
from doorkey.jose.key_sources import AsyncKeysOfIssuer, KeysOfIssuer
from doorkey.protocol.metadata import ServerMetadata
from doorkey.runtime.clock import wall_time
from doorkey.sources.drivers import AwaitingDriver, BlockingDriver
from doorkey.sources.key_source import AsyncKeySource, KeySource
from doorkey.sources.key_times import KeyTimes
from doorkey.sources.shared_issuer import SharedIssuer
from doorkey.values import clears_locals
from doorkey.wire.flow import Flow
from doorkey.wire.limits import ExchangePolicy, policy_of
from doorkey.wire.urls import shown_url

if TYPE_CHECKING:
    from doorkey.jose.keys import Key

T = TypeVar("T")


class Issuer(SharedIssuer, KeysOfIssuer, AsyncKeysOfIssuer):
    """An authorization server: its metadata and its keys, fetched once for all that share this value.

    Sessions, token sources, vaults and verifiers take it as `issuer=`. It is for threads, tasks and event loops alike.

    issuer: the issuer's URL, exactly as its metadata names it.
    metadata: the metadata of the issuer, in place of discovery: the result of `discover(issuer)`, or a mapping.
    keys: keys that never change, as `jwt.decode` takes them; with `metadata`, nothing is fetched.
    http_client: the client whose transports carry the requests, blocking or asynchronous; the calls of the other kind
        then raise `UsageError`. None makes one for each kind.
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
        from doorkey.sources.issuer_core import core_of  # and cryptography, when the first one is made

        self._policy = policy_of(exchange)
        self._clock = wall_time if clock is None else clock
        arguments.clock(self._clock)
        times = KeyTimes.of(cool_down, max_age, max_stale)
        self._core = core_of(arguments.text(issuer, "the issuer"), metadata, self._policy, keys=keys, times=times)
        assert self._core.server is not None, "it has an issuer"
        self._server = self._core.server
        self._is_told = metadata is not None
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
        """The issuer's keys, for code that blocks."""
        return self._keys

    @property
    def akeys(self) -> AsyncKeySource:
        """The keys of the issuer, for code that awaits. `keys` and `akeys` share the fetched keys."""
        return self._akeys

    def metadata(self) -> ServerMetadata:
        """Return the metadata: as given, else discovered, and discovered again when it gets old.

        Raises as `discover` does.
        """
        return self._blocking.run(self._metadata())

    async def ametadata(self) -> ServerMetadata:
        """Return the metadata, for code that awaits; see `metadata`. Raises as it does."""
        return await self._awaiting.run(self._metadata())

    def checked(self, check: Callable[[tuple[Key, ...]], T]) -> T:
        """Return the result of `check`, so that `jwt.decode` accepts an issuer as its keys; see `KeySource.checked`."""
        return self._keys.checked(check)

    async def achecked(self, check: Callable[[tuple[Key, ...]], T]) -> T:
        """Return the result of `check`; see `AsyncKeySource.achecked`."""
        return await self._akeys.achecked(check)

    def retry_now(self) -> None:
        """End the pause after a failed fetch of metadata or keys, for all that share this issuer.

        During it errors have `retry_at`; the next call then makes a request.
        """
        self._server.retry_now()
        self._core.keys.retry_now()

    def close(self) -> None:
        """Close the blocking HTTP client that was made here; one that was given is its owner's."""
        self._blocking.close()

    async def aclose(self) -> None:
        """Close the HTTP clients that were made here, the asynchronous one for this event loop."""
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
        if self._is_told:
            return self._server.given
        return (yield from self._server.metadata(self._clock))
