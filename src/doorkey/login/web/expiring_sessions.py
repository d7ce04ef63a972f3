"""The list of sessions that will expire, so that those of users who never come back leave the store.

Theory of operation. A store has no expiry and cannot list its keys. So each session is listed before anything of it is
saved, in one of 256 records that its digest chooses. A login reads a few sessions of its record that have expired, and
its caller removes them. Each login adds one and removes up to `SWEPT`, so what has expired is gone after as many logins
as there were sessions. An entry leaves the list after what it names, so that a sweep that fails is repeated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final, NamedTuple

from doorkey.login.web.documents import Document, Documents
from doorkey.tokens import moment_of
from doorkey.wire.flow import Flow

SWEPT: Final = 4
"""Expired sessions that one login removes."""

MAX_LISTED: Final = 2000
"""Sessions of one of the 256 records; one more is not listed, and stays in the store if its user never comes back."""


class Place(NamedTuple):
    """The place of a session in the store: its digest, its provider, its expiry, and the keys of its indexes."""

    digest: str
    provider: str
    expires_at: float
    user: str
    sid: str | None


class ExpiringSessions(NamedTuple):
    """The list, in the documents of the login."""

    documents: Documents

    def add(self, place: Place, now: float) -> Flow[list[Place]]:
        """List a session, and return up to `SWEPT` others that have expired. Raises `StoreError`."""
        expired: list[Place] = []

        def change(found: Document | None) -> Document | None:
            places = _places(found)
            expired[:] = [one for one in places if one.expires_at <= now][:SWEPT]
            return _document(places if len(places) >= MAX_LISTED else [*places, place])

        yield from self.documents.change(_key(place.digest), change)
        return expired

    def remove(self, digests: Collection[str]) -> Flow[None]:
        """Take sessions off the list. Raises `StoreError`."""

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
