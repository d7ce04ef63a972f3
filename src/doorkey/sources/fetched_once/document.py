"""A document of an authorization server, fetched once for all callers that need it, and again when it expires.

Theory of operation. A caller that finds no fresh document acquires a lock and fetches it. Concurrent callers wait and
share the outcome, even a failure. After a failure there is a pause, which doubles with each further failure. During the
pause, callers get a copy of the error without a request. If the document is stale but still usable, one caller fetches
it again, and the others continue with the old one without waiting. The old document also stays in use while it cannot
be fetched.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from math import inf
from typing import Final, Generic, TypeVar

from doorkey.errors import OAuthError
from doorkey.observe.logs import logger
from doorkey.protocol.http_caching import CacheEntry
from doorkey.renewal.backoff import Backoff, counts_for_backoff
from doorkey.renewal.leader_lock import AcquireOrWait, LeaderLock
from doorkey.runtime.deadlock import entered
from doorkey.wire.flow import Flow

__all__: list[str] = []

T = TypeVar("T")
Clock = Callable[[], float]

_DEADLOCK: Final = "deadlock while {what}: does the transport of the http_client use the same source?"
_TIMEOUT: Final = "another caller has been {what} for {{seconds}} s and is not done: is its HTTP client stuck?"
_NEVER: Final = -inf


class Fetched(Generic[T]):
    """The document that `fetch(clock)` returns, shared by any number of threads, tasks and event loops.

    `what` describes the work in messages ("discovering this issuer"). The flows yield `AcquireOrWait` in addition to
    the requests of `fetch`. `clock` returns seconds since the epoch.
    """

    def __init__(self, fetch: Callable[[Clock], Flow[CacheEntry[T]]], what: str) -> None:
        self.entry: CacheEntry[T] | None = None
        self.lock = LeaderLock()
        self.error: Exception | None = None
        """The error of the last attempt, without a traceback if it is an `OAuthError`; None after a success."""
        self._fetch, self._what = fetch, what
        self._messages = _DEADLOCK.format(what=what), _TIMEOUT.format(what=what)
        self._ended = self._failures = 0  # failed attempts: in total, and since the last success
        self._retry_at = self._pause = 0.0
        self._renewed_at = _NEVER

    def current(self, clock: Clock) -> Flow[CacheEntry[T]]:
        """Return the document, after fetching it unless it is fresh. Raises the errors of `fetch`.

        If the fetching caller is canceled, a waiter fetches the document.
        """
        seen, before = self._ended, self.entry
        while True:
            entry, now = self.entry, clock()
            if entry is not None and (entry.is_fresh(now) or entry is not before):
                return entry  # fetched during this call, so it is used once even if it has expired already
            failed = self._ended != seen or self.pauses(now)
            usable = entry is not None and entry.is_usable(now)
            if entry is not None and usable and (failed or not self.lock.is_abandoned()):
                return entry
            if failed:
                raise self._failure(now)
            yield from self._attempt(entry, seen, clock, usable=usable)

    def newer(self, than: CacheEntry[T], cool_down: float, clock: Clock) -> Flow[CacheEntry[T] | None]:
        """Return a document that was fetched after `than`, which the caller cannot use; None if there is none.

        It is fetched at most once in `cool_down` seconds. After a failure, the attribute `error` is the reason.
        """
        seen = self._ended
        while (entry := self.entry) is than:
            now = clock()
            if self._ended != seen or self.pauses(now) or self.cools_down(cool_down, now):
                return None
            yield from self._attempt(than, seen, clock, usable=True, counts=True)
        return entry

    def cools_down(self, cool_down: float, now: float) -> bool:
        """Return whether the cool-down of `newer` lasts at `now`. A clock that was set back ends it."""
        return 0 <= now - self._renewed_at < cool_down

    def count_as_newer(self, entry: CacheEntry[T]) -> None:
        """Start the cool-down at the fetch of `entry`, because a caller could not use that document."""
        self._renewed_at = max(self._renewed_at, entry.fetched_at)

    def retry_now(self) -> None:
        """End the pause after a failure: the next caller fetches the document."""
        self._retry_at = 0.0

    def _attempt(
        self, entry: CacheEntry[T] | None, seen: int, clock: Clock, *, usable: bool, counts: bool = False
    ) -> Flow[None]:
        """Fetch the document unless another caller has just fetched it, or wait for another caller's attempt.

        usable: the old document is usable, so a failure is only logged.
        counts: start the cool-down of `newer`, unless the caller is canceled.
        """
        holder = yield from AcquireOrWait(self.lock, *self._messages)
        if holder is None:
            return
        try:
            if self.entry is entry and self._ended == seen:
                try:
                    self.entry = yield from entered(self.lock, self._fetched(clock))
                    self._failures, self.error = 0, None
                finally:
                    if counts and (self.entry is not entry or self._ended != seen):
                        self._renewed_at = clock()
        except OAuthError as error:
            if not usable:
                raise
            with suppress(Exception):  # a logging filter or handler of the program may fail
                logger.warning("%s failed: %s; the last valid response stays in use", self._what, error)
        finally:
            self.lock.release(holder)

    def _fetched(self, clock: Clock) -> Flow[CacheEntry[T]]:
        """Fetch the document. Start a pause after a failure."""
        try:
            return (yield from self._fetch(clock))
        except Exception as error:
            self._failures += 1
            self.error = error.for_waiter() if isinstance(error, OAuthError) else error
            counts = isinstance(error, OAuthError) and counts_for_backoff(error)
            self._pause = Backoff().pause(self._failures, error, 0.0) if counts else 0.0
            try:
                self._retry_at = clock() + self._pause
            finally:
                self._ended += 1  # last, so that a caller that sees the count also finds the error
            raise

    def pauses(self, now: float) -> bool:
        """Return whether the pause after the last failure lasts at `now`. A clock that was set back ends it."""
        return self.error is not None and 0 < self._retry_at - now <= self._pause

    def _failure(self, now: float) -> Exception:
        assert self.error is not None, "an attempt without a document has failed"
        if not isinstance(self.error, OAuthError):
            return self.error
        failure = self.error.for_waiter()
        failure.retry_at = self._retry_at if self.pauses(now) else None
        return failure
