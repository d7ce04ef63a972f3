"""The sessions of logged-in browsers in a store, with the indexes by which a logout of the provider finds them.

Theory of operation. A cookie contains a random ID, and the store has the record under the digest of this ID. So a copy
of the store gives access to no session. One index lists the sessions of a user, the exact pair (`iss`, `sub`), and
another lists those that belong to one session at the provider, (`iss`, `sid`). A login writes the indexes first, then
the record, and then reads the index again. A logout of the provider removes the records, then the entries of the
indexes, and then the records that were added in between. So if a login and a logout are concurrent, at least one of
them sees the other, and a logout that fails can be repeated. Each login removes the expired sessions of the same user,
and a few expired sessions of other users (`expiring_sessions`).
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from doorkey.login.web.documents import Document, Documents
from doorkey.login.web.expiring_sessions import ExpiringSessions, Place
from doorkey.tokens import moment_of
from doorkey.values import Secret
from doorkey.wire.flow import Flow

MAX_SESSIONS: Final = 100
"""The maximum number of sessions of one user. A login above it ends the oldest session."""

_ID: Final = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """One browser in which a user is logged in.

    provider: the name of the registration at which the user logged in.
    iss, sub: the identity of the user.
    sid: the session at the provider, or None.
    claims: the verified claims of the ID token; empty for plain OAuth 2.
    userinfo: the provider's claims about the user.
    id_token: the ID token, for the logout at the provider, or None.
    created_at, expires_at: seconds since the epoch.
    session_state: the state of the session for the provider's frame, or None.
    """

    provider: str
    iss: str
    sub: str
    sid: str | None = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)
    userinfo: Mapping[str, Any] = field(repr=False)
    id_token: Secret | None
    created_at: float
    expires_at: float
    session_state: str | None = field(default=None, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the session as a dictionary that can be stored as JSON."""
        return {
            "provider": self.provider,
            "iss": self.iss,
            "sub": self.sub,
            "sid": self.sid,
            "claims": dict(self.claims),
            "userinfo": dict(self.userinfo),
            "id_token": None if self.id_token is None else self.id_token.reveal(),
            "created_at": self.created_at,
            "expires_at": self.expires_at,
            "session_state": self.session_state,
        }

    @classmethod
    def from_dict(cls, document: Document) -> BrowserSession | None:
        """Return the session from the result of `to_dict`; None for any other document."""
        members: Any = document
        texts = [members.get(name) for name in ("provider", "iss", "sub")]
        optional = [members.get(name) for name in ("sid", "id_token", "session_state")]
        created_at, expires_at = (moment_of(members.get(name)) for name in ("created_at", "expires_at"))
        mappings = [members.get(name) for name in ("claims", "userinfo")]
        if (
            not all(isinstance(one, str) and one for one in texts)
            or not all(one is None or isinstance(one, str) for one in optional)
            or created_at is None
            or expires_at is None
            or not all(isinstance(one, dict) for one in mappings)
        ):
            return None
        sid, id_token, state = optional
        hint = None if id_token is None else Secret(id_token)
        return cls(texts[0], texts[1], texts[2], sid, mappings[0], mappings[1], hint, created_at, expires_at, state)


class Entry(NamedTuple):
    """The entry of a session in an index: the digest of its ID, its provider, its expiry, and its `sid`."""

    digest: str
    provider: str
    expires_at: float
    sid: str | None


class Ended(NamedTuple):
    """A session that has ended, whose token must be removed too."""

    provider: str
    token_key: str


@dataclass(frozen=True, slots=True)
class BrowserSessions:
    """The sessions in a store. Every flow raises `StoreError`."""

    documents: Documents

    def begin(
        self, session: BrowserSession, save_token: Callable[[str], Flow[None]], now: float
    ) -> Flow[tuple[str | None, list[Ended]]]:
        """Save a new session. Return its ID, and the old and expired sessions that ended because of it.

        The ID is None if the provider has ended the session meanwhile.

        save_token: ``save_token(key)`` saves the token of the session under `key`.
        now: seconds since the epoch.
        """
        identifier = secrets.token_urlsafe(32)
        digest = digest_of(identifier)
        mine = Entry(digest, session.provider, session.expires_at, session.sid)
        dropped: list[Entry] = []

        def add(found: Document | None) -> Document:
            entries = _entries(found)
            kept = [one for one in entries if one.expires_at > now][-MAX_SESSIONS + 1 :]
            dropped[:] = [one for one in entries if one not in kept]
            return _index(session.iss, session.sub, [*kept, mine])

        [place] = _places(session.iss, session.sub, [mine])
        expired = yield from ExpiringSessions(self.documents).add(place, now)
        user = place.user
        yield from self.documents.change(user, add)
        if session.sid is not None:
            yield from self.documents.change(
                sid_key(session.iss, session.sid),
                lambda found: _index(session.iss, session.sub, [*_entries(found)[-MAX_SESSIONS + 1 :], mine]),
            )
        yield from save_token(token_key(digest))
        yield from self.documents.save(session_key(digest), session.to_dict())
        ended = yield from self._end([*_places(session.iss, session.sub, dropped), *expired])
        there = yield from self.documents.load(user)
        if mine in _entries(there.document):
            return identifier, ended
        return None, [*ended, *(yield from self._end([place]))]

    def load(self, identifier: str | None, now: float) -> Flow[BrowserSession | None]:
        """Return the session of an ID, or None. An identifier of another form causes no access to the store."""
        if identifier is None or not _ID.fullmatch(identifier):
            return None
        found = yield from self.documents.load(session_key(digest_of(identifier)))
        session = None if found.document is None else BrowserSession.from_dict(found.document)
        return session if session is not None and session.expires_at > now else None

    def end(self, identifier: str, session: BrowserSession) -> Flow[list[Ended]]:
        """End one session."""
        entry = Entry(digest_of(identifier), session.provider, session.expires_at, session.sid)
        return (yield from self._end(_places(session.iss, session.sub, [entry])))

    def end_all(self, iss: str, sub: str | None, sid: str | None) -> Flow[list[Ended]]:
        """End the sessions with this `sid`, or all sessions of the user `sub`. If both are given, both must match."""
        key = sid_key(iss, sid) if sid is not None else user_key(iss, sub or "")
        found = yield from self.documents.load(key)
        owner: Any = None if found.document is None else found.document.get("sub")
        if not isinstance(owner, str) or (sub is not None and owner != sub):
            return []
        return (yield from self._end(_places(iss, owner, _entries(found.document))))

    def _end(self, places: list[Place]) -> Flow[list[Ended]]:
        if not places:
            return []
        gone = {one.digest: one for one in places}
        yield from self._delete(gone)  # before the indexes, so that a logout that fails here can be repeated

        def remove(found: Document | None) -> Document | None:
            kept = [one for one in _entries(found) if one.digest not in gone]
            return {**found, "sessions": [list(one) for one in kept]} if found is not None and kept else None

        for key in dict.fromkeys(key for one in gone.values() for key in (one.user, one.sid) if key is not None):
            yield from self.documents.change(key, remove)
        yield from self._delete(gone)  # again: a concurrent login may have found its entry, and kept its record
        yield from ExpiringSessions(self.documents).remove(gone)
        return [Ended(one.provider, token_key(one.digest)) for one in gone.values()]

    def _delete(self, digests: Iterable[str]) -> Flow[None]:
        for digest in digests:
            yield from self.documents.delete(session_key(digest))


def digest_of(identifier: str) -> str:
    """Return the digest that identifies a session, a user or a `sid` in the store."""
    return hashlib.sha256(identifier.encode("utf-8", "surrogatepass")).hexdigest()


def session_key(digest: str) -> str:
    """Return the key of a session's record."""
    return f"login/session/{digest}"


def token_key(digest: str) -> str:
    """Return the key of a session's token in the vault."""
    return f"login/token/{digest}"


def user_key(iss: str, sub: str) -> str:
    """Return the key of the index of a user."""
    return f"login/user/{digest_of(json.dumps([iss, sub]))}"


def sid_key(iss: str, sid: str) -> str:
    """Return the key of the index of a session at the provider."""
    return f"login/sid/{digest_of(json.dumps([iss, sid]))}"


def _places(iss: str, sub: str, entries: list[Entry]) -> list[Place]:
    user = user_key(iss, sub)
    return [
        Place(one.digest, one.provider, one.expires_at, user, None if one.sid is None else sid_key(iss, one.sid))
        for one in entries
    ]


def _index(iss: str, sub: str, entries: list[Entry]) -> Document:
    return {"iss": iss, "sub": sub, "sessions": [list(one) for one in entries]}


def _entries(found: Document | None) -> list[Entry]:
    listed = _list(None if found is None else found.get("sessions"))
    return [Entry(*one) for one in listed if _is_entry(_list(one))]


def _list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else []  # pyright: ignore[reportUnknownVariableType]


def _is_entry(given: list[Any]) -> bool:
    if len(given) != len(Entry._fields):
        return False
    digest, provider, expires_at, sid = given
    return (
        isinstance(digest, str)
        and isinstance(provider, str)
        and moment_of(expires_at) is not None
        and (sid is None or isinstance(sid, str))
    )
