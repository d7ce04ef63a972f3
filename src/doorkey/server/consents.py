"""The consents of users: stored for each user, client and scope until the user revokes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from doorkey.server.context import At
from doorkey.server.model import Consent, Session
from doorkey.server.sessions import change_session
from doorkey.server.storage.effects import FindConsents, FindSessions, ReplaceConsents
from doorkey.wire.flow import Flow

MAX_CONSENTS = 200
"""Limit of stored consents of one user. Beyond it the oldest is removed, and its client needs consent again."""


def has_consent(sub: str, client_id: str, scope: Iterable[str]) -> Flow[bool]:
    """Return whether the user has consented to all of `scope` for this client."""
    consents = (yield from FindConsents(sub)) or ()
    return any(one.client_id == client_id and set(scope) <= set(one.scope) for one in consents)


def remember_consent(at: At, sub: str, client_id: str, scope: Iterable[str]) -> Flow[None]:
    """Store the user's consent to `scope` for this client, in addition to its earlier scopes."""

    def with_it(consents: tuple[Consent, ...]) -> tuple[Consent, ...]:
        before = tuple(name for one in consents if one.client_id == client_id for name in one.scope)
        allowed = Consent(client_id, tuple(dict.fromkeys((*before, *scope))), at.now)
        return (*(one for one in consents if one.client_id != client_id), allowed)[-MAX_CONSENTS:]

    yield from _change(sub, with_it)


def revoke_consent(sub: str, client_id: str) -> Flow[None]:
    """Remove the user's consent to this client, and end the client's grants in each session of the user."""
    yield from _change(sub, lambda consents: tuple(one for one in consents if one.client_id != client_id))

    def without_it(session: Session) -> Session | None:
        grants = tuple(grant for grant in session.grants if grant.client_id != client_id)
        return None if grants == session.grants else replace(session, grants=grants)

    for session in (yield from FindSessions(sub)):
        yield from change_session(session.id, without_it)


def _change(sub: str, change: Callable[[tuple[Consent, ...]], tuple[Consent, ...]]) -> Flow[None]:
    while True:
        old = yield from FindConsents(sub)
        new = change(old or ())
        if new == (old or ()) or (yield from ReplaceConsents(sub, old, new)):
            return
