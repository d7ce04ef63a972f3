"""The renewal of a token by all processes that share it, as one flow: read, lease, read again, request, commit.

Theory of operation. The store decides by versions; the lease only saves requests. A process that needs a new token
reads the record, takes the lease, and *reads again*, because another process may have renewed it between the two reads.
Only then does it fetch the metadata of the server, unless it has that already, and send the refresh token. It commits
the result over the version that it read, before any caller uses it. A process that does not get the lease uses a token
that is still valid. Otherwise it waits for a newer version and uses its token, even if that has expired by its own
clock, because it was just issued. It also uses a token that was saved meanwhile, unless that has expired already. Then
it renews that token next. No process sends a refresh token without the lease.

Faults, and their effects:

- The lease expires while its holder works (the process was stopped or swapped out), and another process takes it. Both
  may send a request. Both commits expect the same version, so one wins, and the other process uses the winner's token.
- The server returns `invalid_grant`. Another process may have rotated the token since the second read, so the process
  reads once more. Only if there is nothing newer, it marks the grant dead in the store. Then no request is sent until
  the next `save`.
- The ID token of the response is rejected. The new refresh token is committed with the old access token, because the
  server has used up the old refresh token. A waiting process does not mistake that for a renewed token.
- The token that is being renewed is saved once more (a script that imports it runs again). This renewal has used up its
  refresh token, so this is not a login, and the renewed token is committed over it.
- The store is down when the new token must be committed. The token is kept in memory and used, and is committed as soon
  as the store responds. If the process ends before that, the grant is lost.
- The store comes back with an older record (from a replica or a snapshot). A process that remembers a later rotation of
  the same login commits that again.
- The process dies between the server's response and the commit. The new refresh token is lost, and the old one is used
  up. Nothing can recover it; the next renewal fails with `invalid_grant`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from doorkey.errors import (
    InvalidGrant,
    MissingTokenError,
    OAuthError,
    StoreError,
    TokenExpiredError,
    TransportError,
)
from doorkey.protocol.metadata import ServerMetadata
from doorkey.renewal.backoff import is_transient
from doorkey.renewal.slot import Freshness
from doorkey.renewal.state import SlotObserver
from doorkey.stores.protocol import Lease
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.vault.commits import TRIES, commit_until_decided
from doorkey.vault.effects import Load, Release, TryLease
from doorkey.vault.entry import Codec, Entry
from doorkey.vault.memory import Memory
from doorkey.vault.pace import Pace
from doorkey.wire.flow import Flow, Sleep

__all__: list[str] = []

_log = logging.getLogger("doorkey.vault")

TRY_EVERY: Final = 3
"""A waiter tries to take the lease once per this number of reads, because a read mostly returns a new token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewing:
    """The renewal of the tokens of one vault.

    `metadata()` is a flow that returns the server's metadata. `request(metadata, token, keep)` is a flow that sends the
    refresh token of `token` to the authorization server; it passes the refresh token of a rejected response to the flow
    `keep`. If `repeatable`, `request` can also request a token without a refresh token, or without any token (None),
    and no grant becomes dead. `lease` is the duration of a lease in seconds, which outlives the request by `slack`.
    `jitter` returns a random number from 0 to 1. `observer` gets the time for which a caller waits for another process;
    `timer` measures it in seconds, even if the clock is set. `pace` decides when a waiter reads the store again.
    """

    codec: Codec
    metadata: Callable[[], Flow[ServerMetadata]]
    request: Callable[[ServerMetadata, OAuthToken | None, Callable[[Secret], Flow[None]]], Flow[OAuthToken]]
    repeatable: bool = False
    clock: Callable[[], float]
    jitter: Callable[[], float]
    lease: float
    slack: float
    observer: SlotObserver
    timer: Callable[[], float]
    pace: Pace = field(default_factory=Pace)

    def fresh(self, memory: Memory) -> Flow[OAuthToken]:
        """Return a token that may be sent now for the key of `memory`: from the store, or by renewal.

        If the store or the server cannot be reached, a token that is still valid is returned. Raises
        `MissingTokenError` if nothing is stored, `TokenExpiredError` if the token cannot be renewed, `InvalidGrant` if
        the grant is dead, `RecordError` for an unusable record, and the errors of the store and the server.
        """
        try:
            with ExitStack() as waiting:
                return (yield from _OneKey(self, memory).run(waiting))
        except OAuthError as error:
            now, held = self.clock(), memory.held
            if not is_transient(error):
                raise
            if held is not None and memory.freshness_of(held, now) is not Freshness.EXPIRED:
                memory.defer(now, error)
                return held.token
            if isinstance(error, StoreError):
                raise StoreError(
                    f"{error.description}; and no valid token is in memory", retryable=error.retryable
                ) from error
            raise


class _OneKey:
    """One attempt to return the token of one key."""

    def __init__(self, how: Renewing, memory: Memory) -> None:
        self._how, self._memory, self._key, self._changes = how, memory, memory.key, memory.changes

    def run(self, waiting: ExitStack) -> Flow[OAuthToken]:
        """Return a token that may be sent. `waiting` is closed when this caller no longer waits for another process."""
        entry = yield from self._read()
        fresh = Freshness.EXPIRED if entry is None else self._memory.freshness_of(entry, self._how.clock())
        if entry is not None and fresh is Freshness.FRESH:
            return entry.token
        if entry is not None and not self._renewable(entry):
            if fresh is Freshness.STALE:
                return entry.token
            raise not_renewable()
        reads, waited, too_late = 0, 0.0, 0
        began = read_at = self._how.timer()
        while True:
            lease_began = self._how.clock()
            lease = (yield from TryLease(self._key, self._how.lease)) if reads % TRY_EVERY == 0 else None
            if lease is not None:
                waiting.close()
                renewed = yield from self._renew_under(lease, entry, lease_began + self._how.slack)
                if renewed is not None:
                    return renewed.token
                too_late += 1
                if too_late == TRIES:
                    raise StoreError("the store is too slow for a lease to outlive the renewal", retryable=True)
                continue
            if entry is not None and fresh is Freshness.STALE:
                self._memory.defer(self._how.clock())
                return entry.token
            if waited > 2 * self._how.lease:
                raise TransportError("other processes keep renewing this token, and none has succeeded", retryable=True)
            if not waited:
                waiting.enter_context(self._how.observer.waiting())
            now = self._how.timer()
            pause = self._how.pace.pause(now - began, now - read_at, self._how.jitter())
            yield from Sleep(pause)
            reads, waited, read_at = reads + 1, waited + pause, self._how.timer()
            newer = yield from self._read()
            if newer is not None and self._usable(newer, entry):
                self._how.pace.took(read_at - began - pause / 2)
                return newer.token

    def _renewable(self, entry: Entry) -> bool:
        return self._how.repeatable or entry.token.refresh_token is not None

    def _usable(self, newer: Entry, than: Entry | None) -> bool:
        """Return whether `newer` may be sent, and has another version than the entry `than` (None: there was none).

        The token of a renewal was just issued, even if it has expired by this process's clock. A token that was saved
        may have expired long ago, and so may a token of which only the refresh token was replaced.
        """
        if self._memory.refuses(newer) or (than is not None and newer.version == than.version):
            return False
        return (
            than is None
            or (newer.supersedes(than) and newer.token.access_token != than.token.access_token)
            or self._memory.freshness_of(newer, self._how.clock()) is not Freshness.EXPIRED
        )

    def _renew_under(self, lease: Lease, first: Entry | None, until: float) -> Flow[Entry | None]:
        """Renew under the `lease`, and release it. Return None if the caller must begin again: see `_renewed`."""
        try:
            entry = yield from self._renewed(first, until)
        except GeneratorExit:  # the driver has ended: no effect would be performed
            raise
        except BaseException:
            yield from _released(lease)
            raise
        yield from _released(lease)
        return entry

    def _renewed(self, first: Entry | None, until: float) -> Flow[Entry | None]:
        """Return the next rotation or a newer entry.

        Returns None if the caller must begin again: it was too late (`until`) to send a request, another token was
        saved whose grant or lifetime requires a renewal, or the record of credentials was deleted.
        """
        entry = yield from self._read()
        if entry is not None and self._usable(entry, first):
            return entry
        if entry is not None and not self._renewable(entry):
            raise not_renewable()
        metadata = yield from self._how.metadata()  # under the lease, so that only one of many processes fetches it
        if self._how.clock() > until:  # the lease would end before the request does
            return None
        began = self._how.timer()
        try:
            old = None if entry is None else entry.token
            token = yield from self._how.request(metadata, old, partial(self._keep_rotated, entry))
        except InvalidGrant as refused:
            newer = yield from self._read()
            if newer is not None and self._usable(newer, entry):
                return newer
            if newer is None or entry is None or self._how.repeatable:
                raise  # another attempt may succeed: credentials can be presented again
            if newer.token.refresh_token != entry.token.refresh_token:
                return None  # the server rejected another token: renew this one next
            left = yield from self._marked_dead(newer.marked_dead(refused))
            if left.dead is not None:
                raise
            return left if self._usable(left, entry) else None
        mine = Entry.new(token) if entry is None else entry.renewed(token)
        self._memory.hold_unsaved(mine, self._changes)
        try:
            saved = yield from commit_until_decided(self._how.codec, self._key, mine.version, mine, self._how.timer)
        except MissingTokenError:
            if self._how.repeatable:
                return None  # the record was deleted meanwhile: begin again
            raise
        except StoreError:
            _log.warning("the store did not save a renewed token: it is kept in memory until the store responds")
            return mine
        self._observe(saved)
        self._how.pace.took(self._how.timer() - began)
        return saved if saved.is_same_rotation_as(mine) or self._usable(saved, entry) else None

    def _keep_rotated(self, entry: Entry | None, refresh_token: Secret) -> Flow[None]:
        """Commit the token of `entry` with the `refresh_token` that replaces its own."""
        assert entry is not None, "without a record no refresh token was sent"
        mine = entry.renewed(entry.token.with_refresh_token(refresh_token))
        self._memory.hold_unsaved(mine, self._changes)
        try:
            saved = yield from commit_until_decided(self._how.codec, self._key, mine.version, mine, self._how.timer)
        except MissingTokenError:
            return  # the key was forgotten meanwhile
        except StoreError:
            _log.warning("the store did not save a new refresh token: it is kept in memory until the store responds")
            return
        self._observe(saved)

    def _marked_dead(self, dead: Entry) -> Flow[Entry]:
        """Commit the entry `dead` to mark its grant, and return the entry of the store: `dead`, or a newer rotation."""
        self._observe(dead)
        try:
            left = yield from commit_until_decided(self._how.codec, self._key, dead.version, dead, self._how.timer)
        except StoreError:
            return dead  # the grant is dead in this process at least
        self._observe(left)
        return left

    def _read(self) -> Flow[Entry | None]:
        """Return the entry of the store, or a newer entry of this process.

        If there is no record, returns None if credentials can request a token, and raises `MissingTokenError`
        otherwise. Raises `InvalidGrant` for a dead grant.
        """
        memory, how = self._memory, self._how
        record = yield from Load(self._key)
        if record is None:
            memory.observe(None, self._changes, how.clock())
            if how.repeatable:
                return None
            raise MissingTokenError("nothing is stored under this key: it was forgotten, or never saved; log in again")
        entry = how.codec.read(self._key, record)
        held = memory.held
        if held is not None and held.supersedes(entry):
            entry = yield from commit_until_decided(how.codec, self._key, entry.version, held, how.timer)
        if (
            held is not None
            and held.dead is not None
            and held.version == entry.version
            and held.login_id == entry.login_id
        ):
            entry = held  # the mark of the dead grant could not be saved
        self._observe(entry)
        if entry.dead is not None:
            raise InvalidGrant(description=entry.dead or None, status=400)
        return entry

    def _observe(self, entry: Entry) -> None:
        self._memory.observe(entry, self._changes, self._how.clock())


def _released(lease: Lease) -> Flow[None]:
    try:
        yield from Release(lease)
    except StoreError:
        return  # the lease expires by itself


def not_renewable() -> TokenExpiredError:
    """Return the error for a token that must be renewed but has no refresh token."""
    return TokenExpiredError("the token has expired or was rejected, and there is no refresh token: log in again")
