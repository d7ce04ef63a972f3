"""The list of all sessions with their expiry, so that sessions of users who never return are removed from the store.

Theory of operation. A store has no expiry and cannot list its keys. So each session is added to a list before anything
else of it is saved. The list has 256 records, and the digest of a session selects one of them. A login reads a few
expired sessions from its record, and its caller removes them. Each login adds one session and removes up to `SWEPT`, so
all expired sessions are gone after as many logins as there were sessions. An entry is removed after its session, so
that a sweep that fails is repeated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final, NamedTuple

from doorkey.login.web.documents import Document, Documents
from doorkey.tokens import moment_of
from doorkey.wire.flow import Flow

SWEPT: Final = 4
"""The maximum number of expired sessions that one login removes."""

MAX_LISTED: Final = 2000
"""The maximum sessions in one record. A further session is not listed, so it stays if its user never returns."""


class Place(NamedTuple):
    """The place of a session in the store: its digest, its provider, its expiry, and the keys of its indexes."""

    digest: str
    provider: str
    expires_at: float
    user: str
    sid: str | None


class ExpiringSessions(NamedTuple):
    """The list of sessions, in the documents of the login."""

    documents: Documents

    def add(self, place: Place, now: float) -> Flow[list[Place]]:
        """Add a session to the list, and return up to `SWEPT` expired sessions. Raises `StoreError`."""
        expired: list[Place] = []

        def change(found: Document | None) -> Document | None:
            places = _places(found)
            expired[:] = [one for one in places if one.expires_at <= now][:SWEPT]
            return _document(places if len(places) >= MAX_LISTED else [*places, place])

        yield from self.documents.change(_key(place.digest), change)
        return expired

    def remove(self, digests: Collection[str]) -> Flow[None]:
        """Remove sessions from the list. Raises `StoreError`."""

        def change(found: Document | None) -> Document | None:
            return _document([one for one in _places(found) if one.digest not in digests])

        for key in dict.fromkeys(map(_key, digests)):
            yield from self.documents.change(key, change)


def _key(digest: str) -> str:
    return f"login/expiring/{digest[:2]}"


def _document(places: Iterable[Place]) -> Document | None:
    listed = [list(one) for one in places]
    return {"sessions": listed} if listed else None


def _places(found: Document | None) -> list[Place]:
    members: Any = {} if found is None else found
    listed: Any = members.get("sessions")
    given: list[Any] = listed if isinstance(listed, list) else []  # pyright: ignore[reportUnknownVariableType]
    return [Place(*one) for one in given if _is_place(one)]


def _is_place(given: Any) -> bool:
    if not isinstance(given, list) or len(given) != len(Place._fields):  # pyright: ignore[reportUnknownArgumentType]
        return False
    one: list[Any] = given  # pyright: ignore[reportUnknownVariableType]
    digest, provider, expires_at, user, sid = one
    texts = all(isinstance(value, str) for value in (digest, provider, user, sid or ""))
    return texts and moment_of(expires_at) is not None
