"""Ending a session, and notifying its clients (OpenID Connect Back-Channel Logout, Front-Channel Logout)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from doorkey.server.context import At
from doorkey.server.registrations import Client
from doorkey.server.storage.effects import EndSession, FindClient, FindSession
from doorkey.server.tokens.claims import new_id
from doorkey.server.tokens.signed import encrypted_for, id_token_alg, signed_for
from doorkey.wire.flow import Effect, Flow

LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LOGOUT_TYPE = "logout+jwt"
LIFETIME = 120
"""Seconds; Back-Channel Logout §2.4 recommends at most two minutes."""


@dataclass(frozen=True, slots=True, repr=False)
class SendLogoutToken(Effect[None]):
    """Post `token` to the `uri` of a client after this request has been processed (Back-Channel Logout §2.5)."""

    uri: str
    token: str


@dataclass(frozen=True, slots=True)
class Ended:
    """Whether the session existed, and the URIs that the browser must load in frames (Front-Channel Logout §3)."""

    found: bool
    frames: tuple[str, ...] = ()


def end_session(at: At, session_id: str) -> Flow[Ended]:
    """End a session, and notify each client that has a grant in it and registered a logout URI."""
    session = yield from FindSession(session_id)
    if session is None or not (yield from EndSession(session_id)):
        return Ended(found=False)
    frames: list[str] = []
    for client_id in dict.fromkeys(grant.client_id for grant in session.grants):
        client = yield from FindClient(client_id)
        if client is None:
            continue
        if client.backchannel_logout_uri is not None:
            token = logout_token_for(at, client, {"sub": session.sub, "sid": session.id})
            yield from SendLogoutToken(client.backchannel_logout_uri, token)
        if client.frontchannel_logout_uri is not None:
            frames.append(_frame(at, client, client.frontchannel_logout_uri, session.id))
    return Ended(found=True, frames=tuple(frames))


def logout_token_claims(at: At, client: Client, about: dict[str, Any]) -> dict[str, Any]:
    """Return the claims of a logout token `about` a subject, a session or both (Back-Channel Logout §2.4)."""
    issued_at = int(at.now)
    return {
        "iss": at.issuer,
        "aud": client.client_id,
        "iat": issued_at,
        "exp": issued_at + LIFETIME,
        "jti": new_id(),
        "events": {LOGOUT_EVENT: {}},
        **about,
    }


def logout_token_for(at: At, client: Client, about: dict[str, Any]) -> str:
    """Return a logout token, signed and encrypted like the client's ID tokens."""
    claims = logout_token_claims(at, client, about)
    return encrypted_for(client, "id_token", signed_for(at, client, claims, id_token_alg(at, client), typ=LOGOUT_TYPE))


def _frame(at: At, client: Client, uri: str, session_id: str) -> str:
    if not client.frontchannel_logout_session_required:
        return uri
    added = urlencode({"iss": at.issuer, "sid": session_id})
    parts = urlsplit(uri)
    return parts._replace(query="&".join(part for part in (parts.query, added) if part)).geturl()
