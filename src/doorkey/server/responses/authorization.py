"""Responses of the authorization endpoint, by which the browser brings a code, tokens or an error to the client (RFC
6749 §4.1.2, OpenID Connect Core §3.2.2.5, §3.3.2.5)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from doorkey.errors import LoginRequired
from doorkey.server.context import At
from doorkey.server.model import AuthorizationRequest, Code, Grant, Session
from doorkey.server.responses.form_post import form_post
from doorkey.server.responses.responses import redirect
from doorkey.server.sessions import add_grant
from doorkey.server.storage.effects import FindClient, FindUser, SaveCode
from doorkey.server.tokens.claims import new_id
from doorkey.server.tokens.id_tokens import about_login, id_token_for
from doorkey.server.tokens.issuing import access_token_of
from doorkey.server.tokens.kinds import ACCESS
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Response

RESPONSE_MODES = ("query", "fragment", "form_post")


def back_to_client(request: AuthorizationRequest, session: Session, at: At, *, status: int = 302) -> Flow[Response]:
    """Add a grant to the session, and return the response with the code and the tokens of the response type."""
    grant = Grant(
        new_id(), request.client_id, request.scope, nonce=request.nonce, refresh_id=new_id(), by_login_page=True
    )
    yield from add_grant(session.id, grant)
    answer: dict[str, str | None] = {"state": request.state, "session_state": session.id, "iss": at.issuer}
    code = None
    if "code" in request.response_type:
        code = answer["code"] = secrets.token_urlsafe(32)
        yield from SaveCode(code, Code(request, session.id, grant.id))
    if request.response_type != ("code",):
        answer |= yield from _tokens(request, session, grant, code, at)
    return sent_back(at, request.redirect_uri, answer, request.response_mode, status)


def _tokens(
    request: AuthorizationRequest, session: Session, grant: Grant, code: str | None, at: At
) -> Flow[dict[str, str]]:
    """Return the response parameters with the tokens of this response type. Raises `LoginRequired`."""
    client, user = (yield from FindClient(request.client_id)), (yield from FindUser(session.sub))
    if client is None or user is None:  # removed while the user was logging in
        raise LoginRequired
    answer: dict[str, str] = {}
    access_token = None
    if "token" in request.response_type:
        access_token = access_token_of(at, client, user, session, grant)
        lifetime = str(at.settings.access_token_lifetime)
        answer = {"access_token": access_token, "token_type": ACCESS, "expires_in": lifetime}
        answer["scope"] = " ".join(grant.scope)
    if "id_token" in request.response_type:
        about = about_login(user, session, grant)
        answer["id_token"] = id_token_for(
            at, client, about, access_token=access_token, code=code, state=request.state if code else None
        )
    return answer


def sent_back(at: At, uri: str, answer: Mapping[str, str | None], mode: str, status: int = 302) -> Response:
    """Return the response that brings the parameters `answer` to the client, in the response mode `mode`."""
    if mode == "form_post":
        return form_post(uri, answer, at.endpoints.script)
    return redirect(uri, answer, mode, status=status)
