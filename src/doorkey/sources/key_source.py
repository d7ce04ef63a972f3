"""`KeySource` and `AsyncKeySource`: the current keys of an issuer, for programs that verify its tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from doorkey import arguments
from doorkey.jose.key_sources import AsyncKeysOfIssuer, KeysOfIssuer
from doorkey.protocol.metadata import ServerMetadata
from doorkey.runtime.clock import wall_time
from doorkey.sources.drivers import AwaitingDriver, BlockingDriver
from doorkey.sources.key_times import KeyTimes
from doorkey.values import NotPicklable, clears_locals
from doorkey.wire.limits import ExchangePolicy, policy_of

if TYPE_CHECKING:
    from doorkey.jose.keys import Key
    from doorkey.jose.verification import VerifiedToken
    from doorkey.sources.issuer import Issuer
    from doorkey.sources.keys import KeyCore

T = TypeVar("T")


class KeySource(NotPicklable, KeysOfIssuer):
    """The current keys of an issuer, fetched once for any number of threads, and again when the issuer rotates them.

    issuer: the issuer's URL, whose metadata and then keys are fetched on first use; or an `Issuer`, to share its keys.
    metadata: the metadata of the issuer: the result of `discover(issuer)`, or a mapping. Its `jwks_uri` is used.
    jwks_uri: where the key set is; nothing else is fetched.
    keys: keys that never change, as `jwt.decode` takes them; nothing is fetched.
    http_client: a `requests.Session` or a `Client` of httpx2 or httpx, whose transports carry the requests; None makes
        one.
    exchange: the bounds of each request, its address policy too.
    cool_down: seconds between two fetches that tokens with an unknown `kid` or signature cause (None: 30).
    max_age: seconds until the next fetch at the latest (None: 3600). `Cache-Control`, `Age` and `Expires` of the
        response may shorten it to a minute; without them it is ten minutes.
    max_stale: seconds after a fetch for which its keys are used while the server fails (None: 86400).
    clock: returns seconds since the epoch (None: time.time).

    Malformed, unsupported, private and symmetric keys are skipped, with a line in the log for each (RFC 7517 §5).
    Raises `UsageError` for arguments that name no issuer, or two.
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
        from doorkey.sources.issuer_core import core_of  # and cryptography, when the first one is made

        times = KeyTimes.of(cool_down, max_age, max_stale)
        core = core_of(issuer, metadata, exchange, jwks_uri=jwks_uri, keys=keys, times=times)
        self._set_up(core.keys, BlockingDriver(http_client, policy_of(exchange)), clock)

    @classmethod
    def _on(cls, core: KeyCore, driver: BlockingDriver, clock: Callable[[], float]) -> KeySource:
        """Return the source of a `core` that others share."""
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
        """Return `check(keys)`; where no key verified the token, once more with keys that were fetched again.

        `check` raises the `VerificationError` of `doorkey.jose.verification`. Keys are fetched again at most once per
        cool-down. Raises the errors of `check` and of `keys`.
        """
        return self._driver.run(self._core.checked(check, self._clock))

    @clears_locals
    def verify(
        self, token: str, algorithms: Iterable[str] | None = None, typ: str | Iterable[str] | None = None
    ) -> VerifiedToken:
        """Return the header and the claims of a signed token. Its time, issuer and audience are not checked.

        token: the token in the compact form.
        algorithms: the accepted signature algorithms; None: all for which keys can be published.
        typ: the type or the types that the header must name, for instance ``"at+jwt"``.

        Raises `VerificationError`, and the errors of `keys`.
        """
        return self.checked(_check(token, algorithms, typ))

    def retry_now(self) -> None:
        """End the pause after a failed fetch, during which errors have `retry_at`: the next call makes a request."""
        self._core.retry_now()

    def close(self) -> None:
        """Close the HTTP client that was made here; one that was given is its owner's."""
        self._driver.close()

    def __enter__(self) -> KeySource:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncKeySource(NotPicklable, AsyncKeysOfIssuer):
    """The current keys of an issuer, for any number of tasks, of one event loop or of several.

    http_client: an `AsyncClient` of httpx2 or httpx, or a `ClientSession` of aiohttp; None makes a client.

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
        from doorkey.sources.issuer_core import core_of  # and cryptography, when the first one is made

        times = KeyTimes.of(cool_down, max_age, max_stale)
        core = core_of(issuer, metadata, exchange, jwks_uri=jwks_uri, keys=keys, times=times)
        self._set_up(core.keys, AwaitingDriver(http_client, policy_of(exchange)), clock)

    @classmethod
    def _on(cls, core: KeyCore, driver: AwaitingDriver, clock: Callable[[], float]) -> AsyncKeySource:
        """Return the source of a `core` that others share."""
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
        """Return the result of `check`; see `KeySource.checked`. Raises as it does."""
        return await self._driver.run(self._core.checked(check, self._clock))

    @clears_locals
    async def verify(
        self, token: str, algorithms: Iterable[str] | None = None, typ: str | Iterable[str] | None = None
    ) -> VerifiedToken:
        """Verify a token; see `KeySource.verify`. Raises as it does."""
        return await self.achecked(_check(token, algorithms, typ))

    def retry_now(self) -> None:
        """End the pause after a failed fetch, during which errors have `retry_at`: the next call makes a request."""
        self._core.retry_now()

    async def aclose(self) -> None:
        """Close the HTTP client that was made here for this event loop; one that was given is its owner's."""
        await self._driver.aclose()

    async def __aenter__(self) -> AsyncKeySource:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _check(
    token: str, algorithms: Iterable[str] | None, typ: str | Iterable[str] | None
) -> Callable[[tuple[Key, ...]], VerifiedToken]:
    """Return the function of keys that verifies `token`."""
    from doorkey.jose.algorithms import ASYMMETRIC
    from doorkey.jose.verification import verify

    allowed = ASYMMETRIC if algorithms is None else algorithms
    return lambda keys: verify(token, keys, algorithms=allowed, typ=typ)
