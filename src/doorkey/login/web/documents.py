"""JSON documents in a store, each sealed for its key and version.

A document that cannot be decrypted is treated as missing: either the secret of the application has changed, or the
record was tampered with. The next write replaces it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from doorkey.errors import RecordError, StoreError, UsageError
from doorkey.observe.logs import logger
from doorkey.stores.encryption import Sealer
from doorkey.stores.limits import MAX_DATA
from doorkey.values import RedactedDict
from doorkey.vault.effects import Commit, Load
from doorkey.wire.flow import Flow
from doorkey.wire.strict_json import JSONProblem, parse_object

TRIES: Final = 20
"""The maximum number of commits for one change, if other processes commit first."""

Document = Mapping[str, Any]


class Stored(NamedTuple):
    """A document, or None, and the version that the next commit must expect."""

    document: Document | None
    version: int


class Documents:
    """The documents of a login in a store.

    sealer: encrypts the documents; None: they are plain JSON.
    """

    def __init__(self, sealer: Sealer | None) -> None:
        self._sealer = sealer

    def load(self, key: str) -> Flow[Stored]:
        """Return the document of `key`. Raises `StoreError`."""
        try:
            record = yield from Load(key)
        except RecordError:  # not a record of doorkey; a commit that expects version 0 replaces it
            return Stored(None, 0)
        if record is None:
            return Stored(None, 0)
        try:
            data = record.data if self._sealer is None else self._sealer.open(key, record.data, version=record.version)
            return Stored(RedactedDict(parse_object(data)), record.version)
        except (RecordError, JSONProblem) as error:
            logger.warning("a record of the login cannot be read and counts as missing: %s", error)
            return Stored(None, record.version)

    def save(self, key: str, document: Document, expected: int = 0) -> Flow[bool]:
        """Save `document` if the stored version is `expected` (0: no record). Return False if that has changed.

        Raises `StoreError`, and `UsageError` for a document that is too large for a record.
        """
        data = encoded(document)
        for _ in range(TRIES):
            # A sealed record is bound to its version, which is `expected + 1`, or more after a deleted record
            sealed = data if self._sealer is None else self._sealer.seal(key, data, version=expected + 1)
            if len(sealed) > MAX_DATA:
                raise UsageError(f"a record of the login has at most {MAX_DATA} bytes, and this one has {len(sealed)}")
            version = yield from Commit(key, sealed, expected)
            if not version or version == expected + 1 or self._sealer is None:
                return bool(version)
            expected = version
        raise StoreError("commit() must add 1 to the version of the record")

    def change(self, key: str, change: Callable[[Document | None], Document | None]) -> Flow[Document | None]:
        """Replace a document with the result of `change`, and return it. None deletes the document.

        `change` is called again if another process has changed the document meanwhile. Raises `StoreError`.
        """
        for _ in range(TRIES):
            found = yield from self.load(key)
            document = change(found.document)
            if document is None and found == (None, 0):
                return None
            if document is not None and document == found.document:
                return document
            if document is None:
                done: object = yield from Commit(key, None, found.version)
            else:
                done = yield from self.save(key, document, found.version)
            if done:
                return document
        raise StoreError("other processes keep changing a record of the login", retryable=True)

    def delete(self, key: str) -> Flow[None]:
        """Delete a document, if there is one. Raises `StoreError`."""
        yield from self.change(key, lambda _: None)


def encoded(document: Document) -> bytes:
    """Return a document as JSON. Raises `UsageError` for a value that JSON cannot represent."""
    try:
        return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError):
        raise UsageError("the claims of this login cannot be stored, because they are not JSON values") from None
