"""The current keys of one issuer, shared by all verifiers of its tokens: fetched once, and again after a rotation."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar

from doorkey.arguments import function
from doorkey.errors import InvalidResponse, UsageError, VerificationError
from doorkey.jose.verification import asks_for_other_keys
from doorkey.observe.logs import logger
from doorkey.protocol.http_caching import CacheEntry
from doorkey.protocol.jwks import Keys, jwks_request, parse_jwks
from doorkey.sources.fetched_once.discovery import AuthorizationServer
from doorkey.sources.fetched_once.document import Fetched
from doorkey.sources.fetched_once.key_times import KeyTimes
from doorkey.wire.flow import Flow
from doorkey.wire.urls import shown_url

__all__: list[str] = []

T = TypeVar("T")
Clock = Callable[[], float]

_MAX_LINES: Final = 10
"""The maximum number of log lines about skipped keys of one key set."""


class KeyCore:
    """The keys of `server`, the key set at `jwks_uri`, or fixed `keys`, for any number of callers.

    The flows yield `Request` and `AcquireOrWait`. `clock` returns seconds since the epoch. Raises `UsageError` without
    any of the three.
    """

    def __init__(
        self,
        server: AuthorizationServer | None,
        *,
        jwks_uri: str | None = None,
        keys: Keys | None = None,
        times: KeyTimes | None = None,
    ) -> None:
        if server is None and jwks_uri is None and keys is None:
            raise UsageError("the keys are missing: give issuer=, metadata= with a jwks_uri, jwks_uri= or keys=")
        self._server, self._keys = server, keys
        self._times = times or KeyTimes()
        if jwks_uri is None and server is not None:
            jwks_uri = server.given.jwks_uri
        self._jwks_uri = jwks_uri
        self._lifetime = self._times.lifetime()
        self._fetched: Fetched[Keys] = Fetched(self._fetch, "fetching the key set of this issuer")
        self._skipped: tuple[str, ...] = ()

    def keys(self, clock: Clock) -> Flow[Keys]:
        """Return the current keys. Raises the errors of discovery, of the request and of `parse_jwks`.

        While the server fails, the last fetched keys are returned until `max_stale`.
        """
        if self._keys is not None:
            return self._keys
        return (yield from self._fetched.current(clock)).value

    def checked(self, check: Callable[[Keys], T], clock: Clock) -> Flow[T]:
        """Return `check(keys)`. If no key has verified the token, fetch the keys again and call `check` once more.

        Keys are fetched again at most once per cool-down, and not if they were fetched for this call. Raises the errors
        of `check` and of `keys`.
        """
        function(check, "check must be a function of the keys")
        if self._keys is not None:
            return check(self._keys)
        before = self._fetched.entry
        entry = yield from self._fetched.current(clock)
        try:
            return check(entry.value)
        except VerificationError as error:
            if not asks_for_other_keys(error):
                raise
            refused = error
        if entry is not before:
            self._fetched.count_as_newer(entry)
            raise refused
        newer = yield from self._fetched.newer(entry, self._times.cool_down, clock)
        if newer is None:
            raise self._explained(refused, entry, clock()) from self._fetched.error
        return check(newer.value)

    def retry_now(self) -> None:
        """End the pause after a failed fetch of the keys, and after a failed discovery."""
        self._fetched.retry_now()
        if self._server is not None:
            self._server.retry_now()

    def _fetch(self, clock: Clock) -> Flow[CacheEntry[Keys]]:
        uri = self._jwks_uri or (yield from self._discovered_uri(clock))
        now = clock()
        response = yield from jwks_request(uri)
        found = parse_jwks(response, now)
        if found.skipped != self._skipped:
            self._skipped = found.skipped
            _report(found.skipped, uri)
        return self._lifetime.entry(found.keys, response, now)

    def _discovered_uri(self, clock: Clock) -> Flow[str]:
        assert self._server is not None, "checked by the constructor"
        metadata = yield from self._server.naming("jwks_uri", clock)
        if metadata.jwks_uri is not None:
            return metadata.jwks_uri
        missing = "names no jwks_uri, so its tokens cannot be verified: give jwks_uri= or keys="
        if self._server.issuer is None:
            raise UsageError(f"the metadata {missing}, or issuer= to discover it")
        raise InvalidResponse("metadata", f"the metadata of this issuer {missing}")

    def _explained(self, refused: VerificationError, entry: CacheEntry[Keys], now: float) -> VerificationError:
        """Return `refused` with the reason why the keys were not fetched again."""
        age = max(now - entry.fetched_at, 0.0)
        if self._fetched.error is not None:
            told = f"the key set, which is {age:.0f} s old, could not be fetched again ({self._fetched.error})"
        else:
            cool_down = self._times.cool_down
            told = f"the key set is {age:.0f} s old, and unknown keys cause at most one fetch in {cool_down:g} s"
        return type(refused)(refused.claim, f"{refused.reason}; {told}", expected=refused.expected)


def _report(skipped: tuple[str, ...], uri: str) -> None:
    shown = shown_url(uri)
    with suppress(Exception):  # the keys are valid, even if a logging filter or handler of the program fails
        for line in skipped[:_MAX_LINES]:
            logger.warning("key set of %s: %s; it is not used", shown, line)
        if len(skipped) > _MAX_LINES:
            logger.warning("key set of %s: %d more keys are not used", shown, len(skipped) - _MAX_LINES)
