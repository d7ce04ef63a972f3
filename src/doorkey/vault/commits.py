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
"""Seconds before a store that failed is tried again; doubled each time."""
GIVEN_UP_AFTER: Final = 4.0
"""Seconds after which a store that still fails is given up: one that hangs takes long for each attempt."""


def commit_until_decided(codec: Codec, key: str, expected: int, mine: Entry, timer: Callable[[], float]) -> Flow[Entry]:
    """Commit `mine` over the version `expected`, and return the entry of the store: `mine`, or a newer one.

    Another commit wins, unless it is an earlier rotation of the same login, or the token that `mine` has used up, saved
    once more. After an error of the store it is open whether the commit was made: the next one tells, by finding `mine`
    there. Raises `StoreError` when the store does not respond, `MissingTokenError` when the key was forgotten
    meanwhile, and `RecordError` when the record is now another program's.
    """
    trouble: StoreError | None = None
    began = timer()
    for attempt in range(TRIES):
        try:
            if attempt and trouble is not None:
                yield from Sleep(FIRST_PAUSE * 2 ** (attempt - 1), saving=True)
            saved = yield from _committed(codec, key, expected, mine)
            if saved is not None:
                return saved
            record = yield from Load(key)
        except StoreError as error:
            trouble = error
            if timer() - began > GIVEN_UP_AFTER:
                break
            continue
        trouble = None
        if record is None:
            raise MissingTokenError("the key was forgotten while its token was being renewed: log in again")
        theirs = codec.read(key, record)
        if not mine.supersedes(theirs):
            return theirs
        expected = record.version
    raise trouble or StoreError("the store holds another version each time one is to be saved", retryable=True)


def overwritten(codec: Codec, key: str, entry: Entry | None) -> Flow[Entry | None]:
    """Save `entry`, or delete the record (None), whatever is there: only a record of another client is left alone.

    Returns the entry as the store holds it. Raises `StoreError`, and `RecordError` for another client's record.
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
        # Only what can be loaded can be deleted: an unusable record is replaced by an empty one first
        expected = expected or (yield from Commit(key, b"", 0))
        if expected and (yield from Commit(key, None, expected)):
            return None
    raise StoreError("other processes keep changing this key", retryable=True)


def _replaceable(codec: Codec, key: str) -> Flow[tuple[bool, int]]:
    """Return whether there is a record, and the version that a commit over it names: 0 for one that is unusable.

    Raises `ForeignRecordError` for a record that is another client's.
    """
    try:
        record = yield from Load(key)
    except RecordError:
        return True, 0  # it cannot be loaded: the token of a new login is worth more
    if record is None:
        return False, 0
    try:
        codec.read(key, record)
    except ForeignRecordError:
        raise
    except RecordError:
        pass  # it cannot be used
    return True, record.version


def _committed(codec: Codec, key: str, expected: int, mine: Entry) -> Flow[Entry | None]:
    """Commit `mine` over the version `expected`; return it as the store holds it, or None if another was faster.

    A sealed record opens under its own version alone. That is the next one, but where the versions of a deleted record
    go on: there the store names it, and the record is sealed and committed once more. Until then it does not open.
    """
    for _ in range(TRIES):
        version = yield from Commit(key, codec.written(key, mine, expected + 1), expected)
        if not version:
            return None
        if version == expected + 1 or not codec.binds_versions:
            return mine.at(version)
        expected = version
    raise StoreError("commit() must add 1 to the version of the record")
