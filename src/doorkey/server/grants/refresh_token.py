"""The refresh token grant (RFC 6749 §6), with rotation and reuse detection if the realm requires it (RFC 9700
§4.14).

A refresh token is a signed JWT that names a session, a grant in it and, by its `jti`, its place in the rotation.
Without rotation it works until the session ends. With rotation only the latest token works. If an earlier token is used
again, the grant ends, because one of the two holders must have stolen it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from doorkey.errors import InvalidGrant
from doorkey.server.clients.scopes import granted_scope, narrowed_scope
from doorkey.server.context import At
from doorkey.server.model import Grant, Session
from doorkey.server.registrations import Client
from doorkey.server.responses.parameters import Parameters
from doorkey.server.sessions import change_session, end_grant
from doorkey.server.storage.effects import FindSession, FindUser
from doorkey.server.tokens.claims import new_id
from doorkey.server.tokens.issuing import user_answer
from doorkey.server.tokens.kinds import REFRESH
from doorkey.server.tokens.reading import is_expired, is_revoked, read_own
from doorkey.wire.flow import Flow


def refresh(form: Parameters, client: Client, at: At) -> Flow[dict[str, Any]]:
    """Return the token response for a refresh token. Raises `InvalidRequest`, `InvalidGrant` or `InvalidScope`."""
    claims = read_own(at, form.need("refresh_token", description="No refresh token"), REFRESH)
    if claims is None:
        raise _invalid_grant("Invalid refresh token")
    if claims["azp"] != client.client_id:
        raise _invalid_grant("Invalid refresh token. Token client and authorized client don't match")
    if is_expired(at, claims):
        raise _invalid_grant("Token is not active")
    if (yield from is_revoked(claims, REFRESH)):
        raise _invalid_grant("Stale token")
    requested_scope = form.get("scope")
    granted_scope(client, requested_scope)  # refuses an unknown scope now, while the token is still unused
    session, grant = yield from _used(at, claims, rotates=at.settings.rotates(client))
    user = yield from FindUser(session.sub)
    if user is None:
        raise _invalid_grant("Unknown user")
    narrowed = replace(grant, scope=narrowed_scope(grant.scope, client, requested_scope))
    return user_answer(at, client, user, session, narrowed)


def _used(at: At, claims: Mapping[str, Any], *, rotates: bool) -> Flow[tuple[Session, Grant]]:
    """Record the use of the token in the session, and return the updated session and grant. Raises `InvalidGrant`."""
    next_id = new_id() if rotates else claims["jti"]

    def used(session: Session) -> Session | None:
        grant = session.grant(claims["gid"])
        if grant is None or (rotates and grant.refresh_id != claims["jti"]):
            return None
        turned = replace(grant, refresh_id=next_id)
        grants = tuple(turned if one.id == grant.id else one for one in session.grants)
        return replace(session, seen_at=max(session.seen_at, at.now), grants=grants)

    session = yield from change_session(claims["sid"], used)
    grant = session.grant(claims["gid"]) if session else None
    if session is not None and grant is not None:
        return session, grant
    left = yield from FindSession(claims["sid"])
    if left is None:
        raise _invalid_grant("Session not active")
    if left.grant(claims["gid"]) is None:
        raise _invalid_grant("Session doesn't have required client")
    # The latest token may be the thief's, so end the grant, and with it all its refresh and access tokens.
    yield from end_grant(claims["sid"], claims["gid"])
    raise _invalid_grant("Maximum allowed refresh token reuse exceeded")


def _invalid_grant(description: str) -> InvalidGrant:
    return InvalidGrant(description=description, status=400)
