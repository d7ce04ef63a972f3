"""Values that must not be used again: finished logins, and accepted logout tokens.

Theory of operation. An entry is needed until it expires, so time is divided into slots, and each slot has a few
records, its shards. A shard of a slot reuses the record of a past slot. So the number of records is fixed, however many
values there are, and nothing has to be cleaned up.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Any, Final, cast

from doorkey.errors import StoreError
from doorkey.login.web.documents import Document, Documents
from doorkey.wire.flow import Flow

SHARDS: Final = 32
SLOTS: Final = 4
MAX_ENTRIES: Final = 20_000
"""The maximum entries of one shard of a slot. With twenty bytes each, they fit into a record."""


@dataclass(frozen=True, slots=True)
class UsedOnce:
    """Marks used values in a store that all processes share.

    kind: the kind of values. Each kind has its own marks.
    seconds: the length of a slot, and the maximum time from now to the `expires_at` of an entry.
    """

    documents: Documents
    kind: str
    seconds: float

    def mark(self, identifier: str, expires_at: float) -> Flow[bool]:
        """Mark an identifier until `expires_at` (seconds since the epoch). Return True only for the first call.

        Raises `StoreError`, also if a shard is full.
        """
        key, slot, digest = self._place(identifier, expires_at)
        first = False

        def change(found: Document | None) -> Document:
            nonlocal first
            entries = _entries(found, slot)
            first = digest not in entries
            if not first:
                return cast("Document", found)
            if len(entries) >= MAX_ENTRIES:
                raise StoreError("too many logins end at the same time: try again later", retryable=True)
            return {"slot": slot, "used": [*entries, digest]}

        yield from self.documents.change(key, change)
        return first

    def is_marked(self, identifier: str, now: float) -> Flow[bool]:
        """Return whether an identifier is marked. A mark is found for at least `seconds` after its expiry.

        now: seconds since the epoch.

        Raises `StoreError`.
        """
        for slots in (-1, 0, 1):
            key, slot, digest = self._place(identifier, now + slots * self.seconds)
            found = yield from self.documents.load(key)
            if digest in _entries(found.document, slot):
                return True
        return False

    def unmark(self, identifier: str, expires_at: float) -> Flow[None]:
        """Delete a mark, because the action that it marks has failed. Raises `StoreError`."""
        key, slot, digest = self._place(identifier, expires_at)

        def change(found: Document | None) -> Document | None:
            kept = [one for one in _entries(found, slot) if one != digest]
            return {"slot": slot, "used": kept} if kept else None

        yield from self.documents.change(key, change)

    def _place(self, identifier: str, expires_at: float) -> tuple[str, int, str]:
        """Return the key of the record, the number of the slot, and the entry for `identifier`."""
        digest = hashlib.sha256(identifier.encode("utf-8", "surrogatepass")).digest()
        slot = math.floor(expires_at / self.seconds)
        # At most three slots are needed at a time: the current, the next, and the previous slot if a clock is behind
        return f"login/{self.kind}/{slot % SLOTS}/{digest[0] % SHARDS}", slot, digest[1:11].hex()


def _entries(found: Document | None, slot: int) -> list[str]:
    """Return the used values of `slot`; [] if the record belongs to an earlier slot."""
    members: Any = {} if found is None else found
    used: Any = members.get("used") if members.get("slot") == slot else None
    listed: list[Any] = used if isinstance(used, list) else []  # pyright: ignore[reportUnknownVariableType]
    return [one for one in listed if isinstance(one, str)]
