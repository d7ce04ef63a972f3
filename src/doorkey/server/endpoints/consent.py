"""The consent of a user: what a client asks for, and the answer (OpenID Connect Core §3.1.2.4).

Theory of operation. The authorization request is sealed into the form, with the SHA-256 of the session's cookie. So the
answer counts only in the browser, and in the session, in which the question was asked: a user who logged in as another
one meanwhile answers nothing for the first. Each question is answered once.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

from doorkey.errors import AccessDenied, InvalidRequest
from doorkey.server.consents import has_consent, remember_consent
from doorkey.server.context import At
from doorkey.server.endpoints.forms import Cookies, check_csrf, fingerprint, mac, refuse_other_origins
from doorkey.server.endpoints.pending_login import sealed, unsealed
from doorkey.server.model import AuthorizationRequest, PendingLogin, Session
from doorkey.server.registrations import User
from doorkey.server.responses.authorization import back_to_client, sent_back
from doorkey.server.responses.parameters import form_of
from doorkey.server.storage.effects import FindBrowser, FindClient, FindSession, UseOnce
from doorkey.server.tokens.kinds import CONSENT
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request, Response

ACCEPT, CANCEL = "accept", "cancel"
"""The names of the buttons, which are Keycloak's."""


@dataclass(frozen=True, slots=True, repr=False)
class ConsentNeeded:
    """The consent page is to be shown, and `session_key` to be set as a cookie, whether or not the browser has it."""

    consent_id: str
    csrf: str
    client_id: str
    username: str
    scope: tuple[str, ...]
    session_key: str


def is_consent_needed(asked: AuthorizationRequest, session: Session) -> Flow[bool]:
    """Return whether the user of this session is to be asked before the client gets what it asked for."""
    client = yield from FindClient(asked.client_id)
    if asked.asks_consent or client is None or not client.require_consent:
        return asked.asks_consent
    return not (yield from has_consent(session.sub, asked.client_id, asked.scope))


def ask_for_consent(asked: AuthorizationRequest, user: User, session_key: str, at: At) -> ConsentNeeded:
    """Return what the consent page of an authorization request holds, for the session of the cookie `session_key`.

    Raises `InvalidRequest` for an authorization request that is too long.
    """
    consent_id = secrets.token_urlsafe(32)
    pending = PendingLogin(consent_id, asked, fingerprint(session_key), int(at.now) + at.settings.login_lifetime)
    text = sealed(pending, at, CONSENT)
    return ConsentNeeded(text, _csrf(pending, at), asked.client_id, user.username, asked.scope, session_key)


def answer_consent(request: Request, at: At, cookies: Cookies) -> Flow[Response]:
    """Answer a consent form: send the user back to the client, with what it asked for or with `access_denied`.

    Raises `ServerError` if the form is not this session's, was used before, or has expired.
    """
    refuse_other_origins(request, at)
    form = form_of(request)
    pending = unsealed(form.get("transaction") or "", at, CONSENT)
    if pending is None or pending.request is None:
        raise _expired()
    key = cookies.session or ""
    if not hmac.compare_digest(pending.browser, fingerprint(key)):
        raise InvalidRequest(description="This question was asked in another browser or session.", status=400)
    check_csrf(form, _csrf(pending, at))
    session_id = yield from FindBrowser(key)
    session = (yield from FindSession(session_id)) if session_id else None
    if session is None or not (yield from UseOnce(f"consent/{pending.id}", pending.expires_at)):
        raise _expired()
    asked = pending.request
    if form.get(ACCEPT) is None:
        denied = AccessDenied(description="User denied consent")
        answer = {"error": denied.error, "error_description": denied.description, "state": asked.state}
        return sent_back(at, asked.redirect_uri, {**answer, "iss": at.issuer}, asked.response_mode, 303)
    yield from remember_consent(at, session.sub, asked.client_id, asked.scope)
    return (yield from back_to_client(asked, session, at, status=303))


def _csrf(pending: PendingLogin, at: At) -> str:
    return mac(at, "consent", pending.id, pending.browser)


def _expired() -> InvalidRequest:
    description = "This question has expired, or was answered already. Go back to the app and begin again."
    return InvalidRequest(description=description, status=400)
