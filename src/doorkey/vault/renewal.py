"""The renewal of a token by all processes that share it, as one flow: read, lease, read again, request, commit.

Theory of operation. The store decides by versions; the lease only saves requests. A process that finds the token stale
reads the record, takes the lease, and *reads again*: between the two reads another process may have renewed it. Only
then does it fetch the metadata of the server, unless it knows that, and present the refresh token. It commits the
result over the version that it read, before any caller uses it. A process that does not get the lease uses a token that
is still good, or else waits for a newer version and takes that, even if its own clock says that it has expired: it has
just been issued. A token that was saved meanwhile is taken as well, unless it has expired already; then it is renewed
next. No process presents a refresh token without the lease.

Faults, and their effects:

- The lease runs out while its owner works (stopped, swapped out). Another takes it. Both may ask; both commits name
  the same version, so one wins, and the other takes the winner's token.
- The server says `invalid_grant`. Another process may have rotated it since the second read: read once more, and only
  if there is nothing newer mark the grant dead, in the store, so that no request is made until the next `save`.
- The ID token of the response is refused. Its refresh token is committed, with the access token that was there, because
  the server has used up the other one; no waiting process takes that for a new token.
- The token that is being renewed is saved once more (a script that imports it runs again). It holds the refresh token
  that this renewal has used up, so it is no login: what was renewed is committed over it.
- The store is down when the new token is to be committed. The token is kept in memory, ahead of the store, is used,
  and is committed as soon as the store answers. A process that ends before that has lost the grant.
- The store comes back with an older record than it had (a replica, a snapshot). A process that remembers a later
  rotation of the same login puts that back.
- The process dies between the server's answer and the commit: the new refresh token is lost, and the old one is used
  up. Nothing can save that; the next renewal says `invalid_grant`.
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
"""Reads between two attempts at the lease: most often a waiter gets a token instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewing:
    """The renewal of the tokens of one vault.

    `metadata()` is a flow that returns the server's metadata. `ask(metadata, token, keep)` is a flow that sends the
    refresh token of `token` to the authorization server; it passes the refresh token of a rejected response to the flow
    `keep`. If `repeatable`, `ask` can also request a token without a refresh token, or without any token (None), and no
    grant becomes dead. `lease` is in seconds and outlives the request by `slack`; `chance` returns 0…1. `observer` gets
    the time for which a caller waits for another process; `timer` measures it in seconds, even if the clock is set.
    `pace` is when a waiter reads the store again.
    """

    codec: Codec
    metadata: Callable[[], Flow[ServerMetadata]]
    ask: Callable[[ServerMetadata, OAuthToken | None, Callable[[Secret], Flow[None]]], Flow[OAuthToken]]
    repeatable: bool = False
    clock: Callable[[], float]
    chance: Callable[[], float]
    lease: float
    slack: float
    observer: SlotObserver
    timer: Callable[[], float]
    pace: Pace = field(default_factory=Pace)

    def fresh(self, memory: Memory) -> Flow[OAuthToken]:
        """Return a token that may be sent now for the key of `memory`: from the store, or by renewal.

        Where the store or the server cannot be reached, a token that is still good is returned. Raises
        `MissingTokenError` when nothing is stored, `TokenExpiredError` when it cannot be renewed, `InvalidGrant` when
        the grant is dead, `RecordError` for a record that is not ours, else the error of the store or the server.
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
        """Return a token that may be sent; `waiting` is closed when it waits for no other process any more."""
        entry = yield from self._read()
        fresh = Freshness.EXPIRED if entry is None else self._memory.freshness_of(entry, self._how.clock())
        if entry is not None and fresh is Freshness.FRESH:
            return entry.token
        if entry is not None and not self._renewable(entry):
            if fresh is Freshness.STALE:
                return entry.token
            raise not_renewable()
        looks, waited, too_late = 0, 0.0, 0
        began = looked = self._how.timer()
        while True:
            asked_at = self._how.clock()
            lease = (yield from TryLease(self._key, self._how.lease)) if looks % TRY_EVERY == 0 else None
            if lease is not None:
                waiting.close()
                renewed = yield from self._renew_under(lease, entry, asked_at + self._how.slack)
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
            pause = self._how.pace.pause(now - began, now - looked, self._how.chance())
            yield from Sleep(pause)
            looks, waited, looked = looks + 1, waited + pause, self._how.timer()
            newer = yield from self._read()
            if newer is not None and self._usable(newer, entry):
                self._how.pace.took(looked - began - pause / 2)
                return newer.token

    def _renewable(self, entry: Entry) -> bool:
        return self._how.repeatable or entry.token.refresh_token is not None

    def _usable(self, newer: Entry, than: Entry | None) -> bool:
        """Say whether `newer` is another version `than` that (None: there was no record), and may be sent.

        The token of a renewal has just been issued, even if this process's clock says that it has expired; a token
        that was saved may have expired long ago, and so may one of which only the refresh token was replaced.
        """
        if self._memory.refuses(newer) or (than is not None and newer.version == than.version):
            return False
        return (
            than is None
            or (newer.supersedes(than) and newer.token.access_token != than.token.access_token)
            or self._memory.freshness_of(newer, self._how.clock()) is not Freshness.EXPIRED
        )

    def _renew_under(self, lease: Lease, first: Entry | None, until: float) -> Flow[Entry | None]:
        """Renew under the `lease`, and give it back; None where that has to begin again: see `_renewed`."""
        try:
            entry = yield from self._renewed(first, until)
        except GeneratorExit:  # the driver is gone: no effect would be performed
            raise
        except BaseException:
            yield from _released(lease)
            raise
        yield from _released(lease)
        return entry

    def _renewed(self, first: Entry | None, until: float) -> Flow[Entry | None]:
        """Return the next rotation or a newer entry; None if no request was made by `until`, or that is old."""
        entry = yield from self._read()
        if entry is not None and self._usable(entry, first):
            return entry
        if entry is not None and not self._renewable(entry):
            raise not_renewable()
        metadata = yield from self._how.metadata()  # under the lease: of many processes, one fetches it
        if self._how.clock() > until:  # stopped, or that or the store took long: the lease would not outlive the asking
            return None
        began = self._how.timer()
        try:
            old = None if entry is None else entry.token
            token = yield from self._how.ask(metadata, old, partial(self._keep_rotated, entry))
        except InvalidGrant as refused:
            newer = yield from self._read()
            if newer is not None and self._usable(newer, entry):
                return newer
            if newer is None or entry is None or self._how.repeatable:
                raise  # another attempt may succeed: with credentials nothing is used up
            if newer.token.refresh_token != entry.token.refresh_token:
                return None  # not the refused token: renew it next
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
        """Commit the token of `entry` with the `refresh_token` that replaced its own."""
        assert entry is not None, "without a record no refresh token was presented"
        mine = entry.renewed(entry.token.with_refresh_token(refresh_token))
        self._memory.hold_unsaved(mine, self._changes)
        try:
            saved = yield from commit_until_decided(self._how.codec, self._key, mine.version, mine, self._how.timer)
        except MissingTokenError:
            return  # it was forgotten meanwhile
        except StoreError:
            _log.warning("the store did not save a new refresh token: it is kept in memory until the store responds")
            return
        self._observe(saved)

    def _marked_dead(self, dead: Entry) -> Flow[Entry]:
        """Mark the grant dead in the store, and return the entry of the store, which is another one after a newer
        rotation."""
        self._observe(dead)
        try:
            left = yield from commit_until_decided(self._how.codec, self._key, dead.version, dead, self._how.timer)
        except StoreError:
            return dead  # the grant is dead in this process at least
        self._observe(left)
        return left

    def _read(self) -> Flow[Entry | None]:
        """Return the entry of the store, or a newer one of this process; None if credentials request a token.

        Raises `InvalidGrant` for a dead grant, and `MissingTokenError` without a record.
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
            entry = held  # the mark could not be saved
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
        return  # it expires by itself


def not_renewable() -> TokenExpiredError:
    """Return the error for a token that is to be renewed and has no refresh token."""
    return TokenExpiredError("the token has expired, or was refused, and there is no refresh token: log in again")
