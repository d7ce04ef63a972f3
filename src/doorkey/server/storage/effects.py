"""The typed storage effects of endpoints, and `Storage`, which performs them over any `Records`.

A code, a cookie or an assertion ID is stored as its SHA-256, so that a reader of the store cannot use it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from doorkey.server.model import Attempts, AuthorizationRequest, Code, Consent, Grant, Session, Settings
from doorkey.server.registrations import Client, User
from doorkey.server.storage.device_logins import DeviceEffect, perform_on_devices
from doorkey.server.storage.records import Records
from doorkey.server.storage.registered import FindRegistration, RegistrationEffect
from doorkey.values import Secret
from doorkey.wire.flow import Effect


@dataclass(frozen=True, slots=True)
class FindClient(Effect[Client | None]):
    """The client registered as `client_id`, or None."""

    client_id: str


@dataclass(frozen=True, slots=True)
class FindUser(Effect[User | None]):
    """The user whose subject is `sub`, or None."""

    sub: str


@dataclass(frozen=True, slots=True)
class FindLinkedUser(Effect[User | None]):
    """The user whose subject at a trusted issuer is `subject`, or None."""

    issuer: str
    subject: str


@dataclass(frozen=True, slots=True, repr=False)
class CheckPassword(Effect[User | None]):
    """The user named `username` if the password is correct, or None."""

    username: str
    password: str


@dataclass(frozen=True, slots=True)
class CountUsers(Effect[int]):
    """The number of users."""


@dataclass(frozen=True, slots=True)
class FindSession(Effect[Session | None]):
    """The live session whose ID is `session_id`, or None."""

    session_id: str


@dataclass(frozen=True, slots=True)
class FindSessions(Effect[tuple[Session, ...]]):
    """The live sessions of the user whose subject is `sub`."""

    sub: str


@dataclass(frozen=True, slots=True)
class SaveSession(Effect[None]):
    """Store a new session."""

    session: Session


@dataclass(frozen=True, slots=True)
class ReplaceSession(Effect[bool]):
    """Write `new` if the session is still `old`; False if another request changed it first."""

    old: Session
    new: Session


@dataclass(frozen=True, slots=True)
class EndSession(Effect[bool]):
    """End a session, and with it all its grants. False if the session does not exist."""

    session_id: str


@dataclass(frozen=True, slots=True, repr=False)
class SaveCode(Effect[None]):
    """Store the record of an authorization code."""

    code: str
    meaning: Code


@dataclass(frozen=True, slots=True, repr=False)
class FindCode(Effect[Code | None]):
    """The record of an authorization code, used or not, or None. The code is not used up."""

    code: str


@dataclass(frozen=True, slots=True, repr=False)
class TakeCode(Effect[Code | None]):
    """Use up an authorization code. Exactly one of several callers gets its record with `used` False. None: unknown."""

    code: str


@dataclass(frozen=True, slots=True)
class FindAttempts(Effect[Attempts | None]):
    """The failed attempts recorded under `key`, or None."""

    key: str


@dataclass(frozen=True, slots=True)
class ReplaceAttempts(Effect[bool]):
    """Write `new` until `expires_at` if the record is still `old`, where None means no record. False otherwise."""

    key: str
    old: Attempts | None
    new: Attempts
    expires_at: float


@dataclass(frozen=True, slots=True)
class ForgetAttempts(Effect[bool]):
    """Remove the failed attempts under `key`. False if there was no record."""

    key: str


@dataclass(frozen=True, slots=True)
class FindConsents(Effect[tuple[Consent, ...] | None]):
    """The consents of the user whose subject is `sub`, or None if there is no record."""

    sub: str


@dataclass(frozen=True, slots=True)
class ReplaceConsents(Effect[bool]):
    """Write `new` if the record is still `old`, where None means no record. False otherwise."""

    sub: str
    old: tuple[Consent, ...] | None
    new: tuple[Consent, ...]


@dataclass(frozen=True, slots=True, repr=False)
class RememberBrowser(Effect[None]):
    """Associate the cookie value `key` with a session, so that its browser need not log in again."""

    key: str
    session: Session


@dataclass(frozen=True, slots=True, repr=False)
class FindBrowser(Effect[str | None]):
    """The ID of the session that is associated with the cookie value `key`, or None."""

    key: str


@dataclass(frozen=True, slots=True, repr=False)
class UseOnce(Effect[bool]):
    """Record the use of `what` until `expires_at`. False if it was used before (RFC 7523 §3, `jti`)."""

    what: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class RevokeToken(Effect[None]):
    """Record until `expires_at` that the access token with the `jti` `token_id` is revoked."""

    token_id: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class IsRevoked(Effect[bool]):
    """Whether the access token with the `jti` `token_id` was revoked."""

    token_id: str


@dataclass(frozen=True, slots=True)
class NotBefore(Effect[int]):
    """A time in POSIX seconds: every token of a kind that was issued earlier is revoked. 0 if none is."""

    kind: str


@dataclass(frozen=True, slots=True)
class RevokeAllBefore(Effect[None]):
    """Revoke every token of a kind that was issued before `moment` (POSIX seconds)."""

    kind: str
    moment: int


@dataclass(frozen=True, slots=True)
class Directory:
    """The clients by ID, and the users by lowercase name. The registrations are immutable, but users may be added."""

    clients: Mapping[str, Client]
    users: Mapping[str, User]


class Storage:
    """Performs the effects of one request in one realm, over its directory and a store, at one moment."""

    def __init__(self, realm: str, directory: Directory, store: Records, settings: Settings, now: float) -> None:
        self._realm = realm
        self._directory = directory
        self._store = store
        self._settings = settings
        self._now = now

    def perform(self, effect: Effect[Any]) -> Any:  # noqa: C901, PLR0912  # a table, written as one
        """Perform one effect, and return its outcome. `doorkey.wire.flow.run` calls this method."""
        now, settings = self._now, self._settings
        match effect:
            case FindClient(client_id):
                return self._directory.clients.get(client_id) or self._registered(client_id)
            case FindUser(sub):
                return next((user for user in self._users() if user.sub == sub), None)
            case FindLinkedUser(issuer, subject):
                return next((user for user in self._users() if user.links.get(issuer) == subject), None)
            case CheckPassword():
                return self._check_password(effect)
            case CountUsers():
                return len(self._directory.users)
            case FindSession(session_id):
                return _session(self._get("session", session_id))
            case FindSessions(sub):
                return self._sessions_of(sub)
            case SaveSession(session):
                self._put("user-session", f"{_digest(session.sub)}/{session.id}", "", now + settings.session_max)
                return self._put("session", session.id, _text(session), session.expires_at(settings))
            case ReplaceSession(old, new):
                record, expires_at = self._key(old.id), new.expires_at(settings)
                return self._store.swap("session", record, _text(old), _text(new), expires_at=expires_at, now=now)
            case EndSession(session_id):
                return self._store.remove("session", self._key(session_id), now)
            case SaveCode(code, meaning):
                return self._put("code", _digest(code), _text(meaning), now + settings.code_lifetime)
            case FindCode(code):
                text = self._get("code", _digest(code))
                return None if text is None else _code(text)
            case TakeCode(code):
                return self._take_code(_digest(code))
            case FindAttempts(key):
                text = self._get("attempts", key)
                return None if text is None else Attempts(**json.loads(text))
            case ReplaceAttempts(key, old, new, expires_at):
                was = None if old is None else _text(old)
                return self._replace("attempts", key, was, _text(new), expires_at)
            case ForgetAttempts(key):
                return self._store.remove("attempts", self._key(key), now)
            case FindConsents(sub):
                text = self._get("consents", _digest(sub))
                return None if text is None else _consents(text)
            case ReplaceConsents(sub, old, new):
                was = None if old is None else _texts(old)
                return self._replace("consents", _digest(sub), was, _texts(new), math.inf)
            case RememberBrowser(key, session):
                return self._put("browser", _digest(key), session.id, now + settings.session_max)
            case FindBrowser(key):
                return self._get("browser", _digest(key))
            case UseOnce(what, expires_at):
                return self._store.add("once", self._key(_digest(what)), "", expires_at=expires_at, now=now)
            case RevokeToken(token_id, expires_at):
                return self._put("revoked", token_id, "", expires_at)
            case IsRevoked(token_id):
                return self._get("revoked", token_id) is not None
            case NotBefore(kind):
                return int(self._get("not-before", kind) or 0)
            case RevokeAllBefore(kind, moment):
                return self._put("not-before", kind, str(moment), math.inf)
            case DeviceEffect():
                return perform_on_devices(effect, self._store, self._realm, now)
            case RegistrationEffect():
                return effect.perform(self._store, self._realm, now)
            case _:
                raise TypeError(f"unknown effect {type(effect).__name__}")

    def _registered(self, client_id: str) -> Client | None:
        found = FindRegistration(client_id).perform(self._store, self._realm, self._now)
        return None if found is None else found.client

    def _users(self) -> list[User]:
        return list(self._directory.users.values())  # a copy, because another thread may add a user meanwhile

    def _check_password(self, effect: CheckPassword) -> User | None:
        user = self._directory.users.get(effect.username.lower())
        return user if user and user.password and user.password == Secret(effect.password) else None

    def _sessions_of(self, sub: str) -> tuple[Session, ...]:
        prefix = self._key(f"{_digest(sub)}/")
        ids = [key.removeprefix(prefix) for key in self._store.keys("user-session", prefix, self._now)]
        found = [_session(self._get("session", session_id)) for session_id in ids]
        return tuple(session for session in found if session is not None)

    def _replace(self, kind: str, key: str, old: str | None, new: str, expires_at: float) -> bool:
        """Write `new` if the record is still `old`, where None means no record. Return whether it was written."""
        name, now = self._key(key), self._now
        if old is None:
            return self._store.add(kind, name, new, expires_at=expires_at, now=now)
        return self._store.swap(kind, name, old, new, expires_at=expires_at, now=now)

    def _take_code(self, digest: str) -> Code | None:
        while (text := self._get("code", digest)) is not None:
            found = _code(text)
            if found.used:
                return found
            # Keep the used code as long as a session may last, so that a replay can revoke the grant of the code.
            kept_until = self._now + self._settings.session_max
            used = _text(replace(found, used=True))
            key = self._key(digest)
            if self._store.swap("code", key, text, used, expires_at=kept_until, now=self._now):
                return found
        return None

    def _get(self, kind: str, key: str) -> str | None:
        return self._store.get(kind, self._key(key), self._now)

    def _put(self, kind: str, key: str, value: str, expires_at: float) -> None:
        self._store.put(kind, self._key(key), value, expires_at=expires_at, now=self._now)

    def _key(self, key: str) -> str:
        return f"{self._realm}/{key}"


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _text(record: Session | Code | Attempts) -> str:
    return json.dumps(asdict(record), separators=(",", ":"))


def _texts(consents: tuple[Consent, ...]) -> str:
    return json.dumps([asdict(consent) for consent in consents], separators=(",", ":"))


def _consents(text: str) -> tuple[Consent, ...]:
    members: list[dict[str, Any]] = json.loads(text)
    return tuple(Consent(one["client_id"], tuple(one["scope"]), one["given_at"]) for one in members)


def _session(text: str | None) -> Session | None:
    if text is None:
        return None
    members: dict[str, Any] = json.loads(text)
    for grant in members["grants"]:
        grant["scope"] = tuple(grant["scope"])
    members["grants"] = tuple(Grant(**grant) for grant in members["grants"])
    return Session(**members)


def _code(text: str) -> Code:
    members: dict[str, Any] = json.loads(text)
    members["request"] = AuthorizationRequest.of(members["request"])
    return Code(**members)
