"""The sessions of the users of a registered client: one for each refresh token, however many requests carry it.

A web application loads the token of its user for each request, and would renew an expired one in each of them. With
rotating refresh tokens, one of these renewals succeeds and the others end the login. So calls with the same refresh
token share one session, whose single flight renews the token once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Any, Final

from doorkey.runtime.bounded_cache import BoundedCache
from doorkey.tokens import OAuth2Token
from doorkey.values import Secret

MOST_SESSIONS: Final = 1024
IDLE: Final = 600.0
"""Seconds after which a session without calls is dropped."""
MOST_SEEN: Final = 32
"""The maximum number of access tokens that one session remembers, to recognize older tokens."""


class UserSession:
    """A session and its previous access tokens. A request that still carries one of them gets the current token."""

    def __init__(self) -> None:
        self.session: Any = None
        self._seen: tuple[bytes, ...] = ()

    def note(self, token: OAuth2Token) -> bool:
        """Remember the access token. Return whether it is new."""
        digest = _digest(token.value.access_token)
        is_new = digest not in self._seen
        if is_new:
            self._seen = (*self._seen, digest)[-MOST_SEEN:]
        return is_new


class UserSessions:
    """The sessions by refresh token, bounded in number and idle time.

    make: ``make(token, update_token)`` returns a new session.
    saving: ``saving(renewed)`` returns the `update_token` of a session, which calls ``renewed(token)`` first.
    """

    def __init__(self, make: Callable[..., Any], saving: Callable[..., Any]) -> None:
        self._make, self._saving = make, saving
        self._by_refresh_token: BoundedCache[bytes, UserSession] = BoundedCache(MOST_SESSIONS, IDLE)

    def session_for(self, token: OAuth2Token) -> Any:
        """Return the session that renews `token`. A token without a refresh token gets a session of its own."""
        refresh_token = token.value.refresh_token
        if refresh_token is None:
            return self._new(UserSession(), token)
        found = self._by_refresh_token.get(_digest(refresh_token), UserSession)
        if found.session is None:
            self._new(found, token)
        elif found.note(token) or _expires_sooner(token, found.session.token):
            # Another process has renewed it, the user has logged in again, or the program has marked it as expired.
            found.session._oauth.adopt(token)
        return found.session

    def _renewed(self, user: UserSession, token: OAuth2Token) -> None:
        """Remember the renewed token of `user`, so that calls with it get the same session."""
        user.note(token)
        if token.value.refresh_token is not None:
            self._by_refresh_token.get(_digest(token.value.refresh_token), lambda: user)

    def _new(self, user: UserSession, token: OAuth2Token) -> Any:
        user.note(token)
        session = self._make(token, self._saving(partial(self._renewed, user)))
        user.session = user.session or session  # if two threads create a session at once, the first one stays
        return user.session


def _expires_sooner(token: OAuth2Token, current: OAuth2Token | None) -> bool:
    """Return whether `token` is the current token with an earlier expiry, by more than a store's rounding (1 s)."""
    if current is None or token.value.access_token != current.value.access_token:
        return False
    given, known = token.value.expires_at, current.value.expires_at
    return given is not None and (known is None or given < known - 1)


def _digest(token: Secret) -> bytes:
    return sha256(token.reveal().encode()).digest()
