"""`KeySource` and `AsyncKeySource`: the current keys of an issuer, for programs that verify its tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from doorkey import arguments
from doorkey.jose.key_sources import AsyncKeysOfIssuer, KeysOfIssuer
from doorkey.protocol.metadata import ServerMetadata
from doorkey.runtime.clock import wall_time
from doorkey.sources.drivers import AwaitingDriver, BlockingDriver
from doorkey.sources.fetched_once.key_times import KeyTimes
from doorkey.values import NotPicklable, clears_locals
from doorkey.wire.limits import ExchangePolicy, policy_of

if TYPE_CHECKING:
    from doorkey.jose.keys import Key
    from doorkey.jose.verification import VerifiedToken
    from doorkey.sources.fetched_once.keys import KeyCore
    from doorkey.sources.issuer import Issuer

T = TypeVar("T")


class KeySource(NotPicklable, KeysOfIssuer):
    """The current keys of an issuer, fetched once for all threads, and again after the issuer has rotated them.

    issuer: the issuer's URL, whose metadata and keys are fetched on first use; or an `Issuer`, to share its keys.
    metadata: the metadata of the issuer: the result of `discover(issuer)`, or a mapping. Its `jwks_uri` is used.
    jwks_uri: URL of the key set. Nothing else is fetched.
    keys: fixed keys, in a form that `jwt.decode` accepts. Nothing is fetched.
    http_client: a `requests.Session` or a `Client` of httpx2 or httpx, whose transports send the requests. None: a
        client is created here.
    exchange: bounds of each request, including its address policy: an `ExchangePolicy`.
    cool_down: minimum seconds between two fetches because of tokens that no known key verifies. None: 30.
    max_age: seconds after which the keys are fetched again at the latest. None: 3600. `Cache-Control`, `Age` and
        `Expires` of the response may shorten this, to a minute at least. Without these headers it is ten minutes.
    max_stale: seconds after a fetch during which its keys are used while the server fails. None: 86400.
    clock: returns seconds since the epoch. None: time.time.

    Malformed, unsupported, private and symmetric keys are skipped, and logged (RFC 7517 §5). Raises `UsageError` for
    arguments that identify no issuer, or two different issuers.
    """

    @clears_locals
    def __init__(
        self,
        issuer: str | Issuer | None = None,
        *,
        metadata: ServerMetadata | Mapping[str, Any] | None = None,
        jwks_uri: str | None = None,
        keys: object = None,
        http_client: Any = None,
        exchange: ExchangePolicy | None = None,
        cool_down: float | None = None,
        max_age: float | None = None,
        max_stale: float | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        from doorkey.sources.issuer_core import core_of  # deferred, because it imports cryptography

        times = KeyTimes.of(cool_down, max_age, max_stale)
        core = core_of(issuer, metadata, exchange, jwks_uri=jwks_uri, keys=keys, times=times)
        self._set_up(core.keys, BlockingDriver(http_client, policy_of(exchange)), clock)

    @classmethod
    def _on(cls, core: KeyCore, driver: BlockingDriver, clock: Callable[[], float]) -> KeySource:
        """Return a key source that uses a shared `core`."""
        made = cls.__new__(cls)
        made._set_up(core, driver, clock)
        return made

    def _set_up(self, core: KeyCore, driver: BlockingDriver, clock: Callable[[], float] | None) -> None:
        self._core, self._driver = core, driver
        self._clock = wall_time if clock is None else clock
        arguments.clock(self._clock)

    def keys(self) -> tuple[Key, ...]:
        """Return the current keys.

        Raises `TransportError`, `ServerError`, `InvalidResponse` or `VerificationError` if they cannot be fetched.
        """
        return self._driver.run(self._core.keys(self._clock))

    def checked(self, check: Callable[[tuple[Key, ...]], T]) -> T:
        """Return `check(keys)`. If no key verified the token, fetch the keys again and call `check` once more.

        check: called with the keys, as a tuple. It must raise the `VerificationError` of `doorkey.jose.verification`.

        Keys are fetched again at most once per cool-down. Raises the errors of `check` and of `keys`.
        """
        return self._driver.run(self._core.checked(check, self._clock))

    @clears_locals
    def verify(
        self, token: str, algorithms: Iterable[str] | None = None, typ: str | Iterable[str] | None = None
    ) -> VerifiedToken:
        """Verify the signature of a token, and return its header and claims. Its times, issuer and audience are not
        checked.

        token: the token in compact serialization.
        algorithms: the accepted signature algorithms; None: all asymmetric algorithms.
        typ: the accepted `typ` of the header, or several, for instance ``"at+jwt"``; None: any.

        Raises `VerificationError`, and the errors of `keys`.
        """
        return self.checked(_check(token, algorithms, typ))

    def retry_now(self) -> None:
        """End the pause after a failed fetch, during which errors have `retry_at`. The next call makes a request."""
        self._core.retry_now()

    def close(self) -> None:
        """Close the HTTP client if it was created here. A client that was passed in stays open."""
        self._driver.close()

    def __enter__(self) -> KeySource:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncKeySource(NotPicklable, AsyncKeysOfIssuer):
    """The current keys of an issuer, for tasks of one or several event loops.

    http_client: an `AsyncClient` of httpx2 or httpx, or a `ClientSession` of aiohttp. None: a client is created here.

    The other parameters are those of `KeySource`.
    """

    @clears_locals
    def __init__(
        self,
        issuer: str | Issuer | None = None,
        *,
        metadata: ServerMetadata | Mapping[str, Any] | None = None,
        jwks_uri: str | None = None,
        keys: object = None,
        http_client: Any = None,
        exchange: ExchangePolicy | None = None,
        cool_down: float | None = None,
        max_age: float | None = None,
        max_stale: float | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        from doorkey.sources.issuer_core import core_of  # deferred, because it imports cryptography

        times = KeyTimes.of(cool_down, max_age, max_stale)
        core = core_of(issuer, metadata, exchange, jwks_uri=jwks_uri, keys=keys, times=times)
        self._set_up(core.keys, AwaitingDriver(http_client, policy_of(exchange)), clock)

    @classmethod
    def _on(cls, core: KeyCore, driver: AwaitingDriver, clock: Callable[[], float]) -> AsyncKeySource:
        """Return a key source that uses a shared `core`."""
        made = cls.__new__(cls)
        made._set_up(core, driver, clock)
        return made

    def _set_up(self, core: KeyCore, driver: AwaitingDriver, clock: Callable[[], float] | None) -> None:
        self._core, self._driver = core, driver
        self._clock = wall_time if clock is None else clock
        arguments.clock(self._clock)

    async def keys(self) -> tuple[Key, ...]:
        """Return the current keys.

        Raises `TransportError`, `ServerError`, `InvalidResponse` or `VerificationError` if they cannot be fetched.
        """
        return await self._driver.run(self._core.keys(self._clock))

    async def achecked(self, check: Callable[[tuple[Key, ...]], T]) -> T:
        """Return the result of `check`. See `KeySource.checked`, also for the errors raised.

        check: called with the keys, as a tuple. It is not a coroutine function.
        """
        return await self._driver.run(self._core.checked(check, self._clock))

    @clears_locals
    async def verify(
        self, token: str, algorithms: Iterable[str] | None = None, typ: str | Iterable[str] | None = None
    ) -> VerifiedToken:
        """Verify a token. See `KeySource.verify`, also for its parameters and the errors raised."""
        return await self.achecked(_check(token, algorithms, typ))

    def retry_now(self) -> None:
        """End the pause after a failed fetch, during which errors have `retry_at`. The next call makes a request."""
        self._core.retry_now()

    async def aclose(self) -> None:
        """Close the HTTP client that was created here for this event loop. A client that was passed in stays open."""
        await self._driver.aclose()

    async def __aenter__(self) -> AsyncKeySource:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _check(
    token: str, algorithms: Iterable[str] | None, typ: str | Iterable[str] | None
) -> Callable[[tuple[Key, ...]], VerifiedToken]:
    """Return a function that verifies `token` with the keys that it receives."""
    from doorkey.jose.algorithms import ASYMMETRIC
    from doorkey.jose.verification import verify

    allowed = ASYMMETRIC if algorithms is None else algorithms
    return lambda keys: verify(token, keys, algorithms=allowed, typ=typ)
