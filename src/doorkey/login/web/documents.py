"""JSON documents in a store, each sealed for its key and version.

A document that cannot be opened is treated as missing: the secret of the application has changed, or the record was
tampered with. Nothing in it counts any more, and the next write replaces it.
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
"""Commits of one change that may be overtaken by those of other processes."""

Document = Mapping[str, Any]


class Stored(NamedTuple):
    """A document, or None, and the version that the next commit names."""

    document: Document | None
    version: int


class Documents:
    """The documents of a login in a store. `sealer`: encrypts them; None: they are plain JSON."""

    def __init__(self, sealer: Sealer | None) -> None:
        self._sealer = sealer

    def load(self, key: str) -> Flow[Stored]:
        """Return the document of `key`. Raises `StoreError`."""
        try:
            record = yield from Load(key)
        except RecordError:  # not a record of doorkey's: a commit over version 0 replaces it
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
        """Save `document` over the version `expected` (0: there is none); False if another commit came first.

        Raises `StoreError`, and `UsageError` for a document that does not fit into a record.
        """
        data = encoded(document)
        for _ in range(TRIES):
            # A record opens under its own version alone. It is the next one, unless a deleted record had a higher one
            sealed = data if self._sealer is None else self._sealer.seal(key, data, version=expected + 1)
            if len(sealed) > MAX_DATA:
                raise UsageError(f"a record of the login has at most {MAX_DATA} bytes, and this one has {len(sealed)}")
            version = yield from Commit(key, sealed, expected)
            if not version or version == expected + 1 or self._sealer is None:
                return bool(version)
            expected = version
        raise StoreError("commit() must add 1 to the version of the record")

    def change(self, key: str, change: Callable[[Document | None], Document | None]) -> Flow[Document | None]:
        """Replace a document by what `change` makes of it, and return that; None deletes it. Raises `StoreError`.

        `change` is called again after another process has changed the document.
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
    """Return a document as JSON. Raises `UsageError` for what JSON cannot hold."""
    try:
        return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError):
        raise UsageError("the claims of this login cannot be stored: JSON cannot hold them") from None
