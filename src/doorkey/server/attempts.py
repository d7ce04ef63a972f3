"""Limits on guessing passwords and client secrets (RFC 6749 §2.3.1, §4.3.2, §10.10).

Theory of operation. Failures are counted per account and per address. The first half of the allowed failures causes no
delay. From then on each failure causes a delay, and each delay is twice as long as the one before. When all allowed
failures are used up, the account or address is blocked. An attempt during a delay is refused at once with
`Retry-After`; nothing here sleeps. An attempt on an account is counted before its password is checked, and a correct
password removes the count, so parallel attempts do not get extra guesses.

A record belongs to one of 65,536 buckets of accounts or addresses. Callers can therefore not fill the store with
invented names, and unknown names are treated like existing names. The bucket depends on a key of the realm, so no
caller can choose a name that shares the bucket of another account.
"""

from __future__ import annotations

import ipaddress
import math
from contextlib import suppress

from doorkey.errors import TemporarilyUnavailable
from doorkey.server.context import At
from doorkey.server.model import Attempts
from doorkey.server.registrations import User
from doorkey.server.storage.effects import CheckPassword, FindAttempts, ForgetAttempts, ReplaceAttempts
from doorkey.wire.flow import Flow

ADDRESS_FACTOR = 10
"""An address may fail this many times as often as an account, because many people can share an address."""


def user_with_password(at: At, username: str, password: str) -> Flow[User | None]:
    """Return the user if the password is correct, otherwise None.

    Raises `TemporarilyUnavailable`, with status 429 and `Retry-After`, if the account or the address is delayed.
    """
    yield from refuse_waiting_address(at)
    account = "account/" + at.keys.bucket(username.lower())
    yield from _count(at, account, at.settings.failed_logins)
    user = yield from CheckPassword(username, password)
    if user is None:
        yield from count_failure_of_address(at)
    else:
        yield from ForgetAttempts(account)
    return user


def refuse_waiting_address(at: At) -> Flow[None]:
    """Raise `TemporarilyUnavailable` if the caller's address is delayed after too many failures."""
    if at.address is not None:
        _refuse_waiting(at, (yield from FindAttempts(_address_key(at, at.address))))


def count_failure_of_address(at: At) -> Flow[None]:
    """Record a failed attempt from the caller's address."""
    if at.address is not None:
        yield from _count(at, _address_key(at, at.address), at.settings.failed_logins * ADDRESS_FACTOR)


def _count(at: At, key: str, limit: int) -> Flow[None]:
    """Record one failure under `key`. During a delay, raises `TemporarilyUnavailable` and records nothing."""
    while True:
        found = yield from FindAttempts(key)
        _refuse_waiting(at, found)
        failures = found.failures + 1 if found else 1
        again_at = at.now + _pause(failures, limit, at.settings.login_block)
        if (yield from ReplaceAttempts(key, found, Attempts(failures, again_at), again_at + at.settings.login_block)):
            return


def _pause(failures: int, limit: int, block: int) -> int:
    """Return the delay in seconds before the next attempt, after this many failures."""
    if failures >= limit:
        return block
    slow = failures - limit // 2
    return min(2 ** min(slow - 1, 30), block) if slow > 0 else 0


def _refuse_waiting(at: At, found: Attempts | None) -> None:
    if found is not None and found.again_at > at.now:
        seconds = math.ceil(found.again_at - at.now)
        raise TemporarilyUnavailable(
            description=f"Too many failed logins. Try again in {seconds} seconds.",
            status=429,
            headers=(("Retry-After", str(seconds)),),
            retry_after=seconds,
        )


def _address_key(at: At, address: str) -> str:
    """Return the key of an address. All addresses of an IPv6 /64 network share a key, as they have one owner."""
    with suppress(ValueError):
        parsed = ipaddress.ip_address(address)
        if isinstance(parsed, ipaddress.IPv6Address):
            address = str(parsed.ipv4_mapped or ipaddress.ip_network((int(parsed), 64), strict=False))
    return "address/" + at.keys.bucket(address)
