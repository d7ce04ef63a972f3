"""Commits with a definite outcome: committed, already committed, or superseded by a newer version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from doorkey.errors import MissingTokenError, RecordError, StoreError
from doorkey.vault.effects import Commit, Load
from doorkey.vault.entry import Codec, Entry, ForeignRecordError
from doorkey.wire.flow import Flow, Sleep

__all__: list[str] = []

TRIES: Final = 5
FIRST_PAUSE: Final = 0.05
"""Seconds before the first retry after an error of the store. Each further pause is twice as long."""
GIVEN_UP_AFTER: Final = 4.0
"""Seconds after which there is no further retry, because each attempt takes long if the store hangs."""


def commit_until_decided(codec: Codec, key: str, expected: int, mine: Entry, timer: Callable[[], float]) -> Flow[Entry]:
    """Commit `mine` over the version `expected`, and return the entry of the store: `mine` or another commit's.

    Another commit wins, unless it is an earlier rotation of the same login, or saved the token that `mine` has used up
    once more. After an error of the store it is unknown whether the commit was made. Then the next attempt finds `mine`
    in the store. Raises `StoreError` if the store does not respond, `MissingTokenError` if the key was forgotten
    meanwhile, and `RecordError` if the record now belongs to another program.
    """
    last_error: StoreError | None = None
    began = timer()
    for attempt in range(TRIES):
        try:
            if attempt and last_error is not None:
                yield from Sleep(FIRST_PAUSE * 2 ** (attempt - 1), saving=True)
            saved = yield from _committed(codec, key, expected, mine)
            if saved is not None:
                return saved
            record = yield from Load(key)
        except StoreError as error:
            last_error = error
            if timer() - began > GIVEN_UP_AFTER:
                break
            continue
        last_error = None
        if record is None:
            raise MissingTokenError("the key was forgotten while its token was being renewed: log in again")
        theirs = codec.read(key, record)
        if not mine.supersedes(theirs):
            return theirs
        expected = record.version
    raise last_error or StoreError("the record has another version at each attempt to save it", retryable=True)


def overwritten(codec: Codec, key: str, entry: Entry | None) -> Flow[Entry | None]:
    """Save `entry`, or delete the record (None), over any record except one of another client or server.

    Returns the saved entry with its version. Raises `StoreError`, and `ForeignRecordError` for a record of another
    client or server.
    """
    for _ in range(TRIES):
        there, expected = yield from _replaceable(codec, key)
        if entry is not None:
            saved = yield from _committed(codec, key, expected, entry)
            if saved is not None:
                return saved
            continue
        if not there:
            return None
        # A record that cannot be loaded cannot be deleted, so it is replaced by an empty one first
        expected = expected or (yield from Commit(key, b"", 0))
        if expected and (yield from Commit(key, None, expected)):
            return None
    raise StoreError("other processes keep changing this key", retryable=True)


def _replaceable(codec: Codec, key: str) -> Flow[tuple[bool, int]]:
    """Return whether there is a record, and the version that a commit over it expects: 0 if it cannot be loaded.

    Raises `ForeignRecordError` for a record of another client or server.
    """
    try:
        record = yield from Load(key)
    except RecordError:
        return True, 0  # a record that cannot be loaded is less useful than the token of a new login
    if record is None:
        return False, 0
    try:
        codec.read(key, record)
    except ForeignRecordError:
        raise
    except RecordError:
        pass  # an unusable record is replaced
    return True, record.version


def _committed(codec: Codec, key: str, expected: int, mine: Entry) -> Flow[Entry | None]:
    """Commit `mine` over the version `expected`. Return it with its new version, or None if another commit came first.

    A sealed record opens only under its own version. That is `expected` + 1, except if the key had a deleted record
    whose versions continue. Then the store returns the actual version, and the record is sealed for it and committed
    once more. Until then it does not open.
    """
    for _ in range(TRIES):
        version = yield from Commit(key, codec.written(key, mine, expected + 1), expected)
        if not version:
            return None
        if version == expected + 1 or not codec.binds_versions:
            return mine.at(version)
        expected = version
    raise StoreError("commit() must add 1 to the version of the record")
