"""Starting, changing and ending sessions and their grants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from doorkey.server.context import At
from doorkey.server.model import Grant, Session
from doorkey.server.registrations import User
from doorkey.server.storage.effects import EndSession, FindSession, ReplaceSession, SaveSession
from doorkey.server.tokens.claims import new_id
from doorkey.wire.flow import Flow

MAX_GRANTS = 100
"""Limit of grants of one session; beyond it the oldest is removed."""


def start_session(at: At, user: User, *grants: Grant, acr_values: tuple[str, ...] = ()) -> Flow[Session]:
    """Store and return a new session of `user` with these `grants`.

    Its `acr` is the first of the requested `acr_values` that the realm supports, otherwise the realm's first.
    """
    reached = [acr for acr in acr_values if acr in at.settings.acr_values] or at.settings.acr_values
    session = Session(new_id(), user.sub, at.now, at.now, grants, reached[0])
    yield from SaveSession(session)
    return session


def change_session(session_id: str, change: Callable[[Session], Session | None]) -> Flow[Session | None]:
    """Replace the session atomically by the result of `change`, and return the new session.

    After a concurrent write `change` is called again with the newer session. It returns None to change nothing. The
    result is None in that case, and if the session has ended.
    """
    while (session := (yield from FindSession(session_id))) is not None:
        changed = change(session)
        if changed is None:
            return None
        if (yield from ReplaceSession(session, changed)):
            return changed
    return None


def add_grant(session_id: str, grant: Grant) -> Flow[Session | None]:
    """Return the session with `grant` added, or None if it has ended."""
    return change_session(session_id, lambda session: replace(session, grants=(*session.grants, grant)[-MAX_GRANTS:]))


def end_grant(session_id: str, grant_id: str) -> Flow[Session | None]:
    """End one grant, and return the session without it, or None if the session has ended."""
    return change_session(
        session_id,
        lambda session: replace(session, grants=tuple(one for one in session.grants if one.id != grant_id)),
    )


def log_out_of_grant(session_id: str, grant_id: str) -> Flow[None]:
    """End one grant, and also the session if no grant is left."""
    left = yield from end_grant(session_id, grant_id)
    if left is not None and not left.grants:
        yield from EndSession(session_id)
