"""The limits of keys, records and leases, which are the same in every store."""

from __future__ import annotations

import secrets
from typing import Final

from doorkey import arguments
from doorkey.errors import RecordError, UsageError
from doorkey.stores.protocol import Lease, Record

__all__: list[str] = []

MAX_KEY: Final = 1024
"""UTF-8 bytes of a key. Every supported database can index a key of this size."""
MAX_DATA: Final = 1 << 20
"""Bytes of a record: many times the largest token."""
MAX_VERSION: Final = 2**53 - 1
"""The highest version of a record. Above it, integers are not exact in every store."""
MAX_LEASE: Final = 600.0
"""Seconds."""
TOO_LATE: Final = 2 * MAX_LEASE
"""Seconds. A lease that ends later than this from now counts as expired, because the store's clock was set back.

It is more than `MAX_LEASE`, because a statement uses the time at which it began, and may wait for a statement that
began later.
"""
MAX_TIMEOUT: Final = 86_400.0
"""Seconds."""
KEPT: Final = 86_400.0
"""Seconds for which a store remembers the version of a deleted record. No renewal takes that long."""
SWEEP_EVERY: Final = 100
"""A store deletes the old versions of deleted records once per this number of new records."""


def checked_key(key: object) -> str:
    """Return `key`. Raises `UsageError`, which does not quote it, for an invalid key."""
    if not isinstance(key, str) or not key:
        raise UsageError("a store's key must be a non-empty string")
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise UsageError("a store's key has a lone surrogate, which UTF-8 cannot encode") from None
    if size > MAX_KEY or "\0" in key:
        raise UsageError(f"a store's key has at most {MAX_KEY} bytes in UTF-8 and no NUL")
    return key


def check_lease(seconds: object) -> None:
    """Raise `UsageError` unless `seconds` is a valid duration of a lease."""
    arguments.seconds(seconds, "the duration of a lease", least=0.001, most=MAX_LEASE)


def checked_lease(lease: object) -> Lease:
    """Return `lease`. Raises `UsageError` unless it is a `Lease` with a valid key and owner."""
    held = arguments.instance(lease, Lease, "release() takes a Lease, as try_lease() returned it")
    checked_key(held.key)
    if not arguments.encodable(arguments.text(held.owner, "the owner of a lease")):
        raise UsageError("the owner of a lease has a lone surrogate, which cannot be encoded")
    return held


def check_commit(data: object, expected: object) -> None:
    """Raise `UsageError` unless `data` can be committed over the version `expected`."""
    if data is not None and not isinstance(data, bytes):
        raise UsageError(f"a record's data must be bytes, or None to delete it, not {type(data).__name__}")
    if data is not None and len(data) > MAX_DATA:
        raise UsageError(f"a record has at most {MAX_DATA} bytes")
    if isinstance(expected, bool) or not isinstance(expected, int) or not 0 <= expected <= MAX_VERSION:
        raise UsageError("expected= must be the version of the record that was loaded, or 0 when there was none")
    if data is None and expected == 0:
        raise UsageError("expected=0 means that there is no record, so there is nothing to delete")


def checked_record(version: object, data: object) -> Record:
    """Return the record that a store loaded; raises `RecordError` for a version or data that no commit wrote."""
    if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version <= MAX_VERSION:
        raise unusable()
    if not isinstance(data, bytes) or len(data) > MAX_DATA:
        raise unusable()
    return Record(version, data)


def unusable() -> RecordError:
    """Return the error for a record that no `commit` wrote; see `StoreCalls.commit`."""
    return RecordError(
        "was not written by doorkey, because its type, its size or its version is wrong. A new save() replaces it"
    )


def new_version() -> int:
    """Return the version of a record that replaces an unusable one: a high random number, which no renewal expects."""
    return 2**40 + secrets.randbelow(2**40)


def new_owner() -> str:
    """Return the owner of a new lease, 128 random bits that only its holder knows."""
    return secrets.token_urlsafe(16)
