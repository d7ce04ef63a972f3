"""Responses of the authorization endpoint: the browser takes a code or an error to the client (RFC 6749 §4.1.2)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from doorkey.server.context import At
from doorkey.server.model import AuthorizationRequest, Code, Grant, Session
from doorkey.server.responses.form_post import form_post
from doorkey.server.responses.responses import redirect
from doorkey.server.sessions import add_grant
from doorkey.server.storage.effects import SaveCode
from doorkey.server.tokens.issuing import new_id
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Response

RESPONSE_MODES = ("query", "fragment", "form_post")


def back_with_a_code(asked: AuthorizationRequest, session: Session, at: At, *, status: int = 302) -> Flow[Response]:
    """Add the grant to the session, and return the response with a code for it."""
    grant = Grant(new_id(), asked.client_id, asked.scope, nonce=asked.nonce, refresh_id=new_id(), by_login_page=True)
    yield from add_grant(session.id, grant)
    code = secrets.token_urlsafe(32)
    yield from SaveCode(code, Code(asked, session.id, grant.id))
    answer = {"state": asked.state, "session_state": session.id, "iss": at.issuer, "code": code}
    return sent_back(asked.redirect_uri, answer, asked.response_mode, status)


def sent_back(uri: str, answer: Mapping[str, str | None], mode: str, status: int = 302) -> Response:
    """Return the answer that takes these parameters to the client, in the response mode that it asked for."""
    return form_post(uri, answer) if mode == "form_post" else redirect(uri, answer, mode, status=status)
