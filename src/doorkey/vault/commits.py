"""Commits that end: made, found to have been made, or overtaken by what somebody else committed."""

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


def settled(codec: Codec, key: str, expected: int, mine: Entry, timer: Callable[[], float]) -> Flow[Entry]:
    """Commit `mine` over the version `expected`, and return what the store then holds: `mine`, or what is newer.

    A commit of somebody else wins, unless it is an earlier turn of the same login, or the token that `mine` has used
    up, saved once more. After an error of the store it is open whether the commit was made: the next one tells, by
    finding `mine` there. Raises `StoreError` when the store
    does not answer, `MissingTokenError` when the key was forgotten meanwhile, `RecordError` when what is there now is
    not ours.
    """
    data = codec.written(key, mine)
    trouble: StoreError | None = None
    began = timer()
    for attempt in range(TRIES):
        try:
            if attempt and trouble is not None:
                yield from Sleep(FIRST_PAUSE * 2 ** (attempt - 1))
            version = yield from Commit(key, data, expected)
            if version:
                return mine.at(version)
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
    data = None if entry is None else codec.written(key, entry)
    for _ in range(TRIES):
        record = yield from Load(key)
        if record is None and data is None:
            return None
        if record is not None:
            try:
                codec.read(key, record)
            except ForeignRecordError:
                raise
            except RecordError:
                pass  # nobody can use it: what a person has just logged in for is worth more
        version = yield from Commit(key, data, 0 if record is None else record.version)
        if version:
            return None if entry is None else entry.at(version)
    raise StoreError("others keep changing this key", retryable=True)
