"""The consent page, and the user's response to it (OpenID Connect Core §3.1.2.4).

Theory of operation. The authorization request is sealed into the form, with the SHA-256 of the session's cookie. So the
form works only in the browser and in the session for which it was made. If another user has logged in meanwhile, that
user cannot consent for the first one. Each form works once.
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
"""The names of the buttons, as in Keycloak."""


@dataclass(frozen=True, slots=True, repr=False)
class ConsentNeeded:
    """Show the consent page, and set the cookie `session_key`, which the browser may not have yet."""

    consent_id: str
    csrf: str
    client_id: str
    username: str
    scope: tuple[str, ...]
    session_key: str


def is_consent_needed(request: AuthorizationRequest, session: Session) -> Flow[bool]:
    """Return whether this request needs the user's consent before the client gets a code or tokens."""
    client = yield from FindClient(request.client_id)
    if request.asks_consent or client is None or not client.require_consent:
        return request.asks_consent
    return not (yield from has_consent(session.sub, request.client_id, request.scope))


def ask_for_consent(request: AuthorizationRequest, user: User, session_key: str, at: At) -> ConsentNeeded:
    """Return the content of the consent page of an authorization request, for the session of the cookie `session_key`.

    Raises `InvalidRequest` for an authorization request that is too long.
    """
    consent_id = secrets.token_urlsafe(32)
    pending = PendingLogin(consent_id, request, fingerprint(session_key), int(at.now) + at.settings.login_lifetime)
    text = sealed(pending, at, CONSENT)
    return ConsentNeeded(text, _csrf(pending, at), request.client_id, user.username, request.scope, session_key)


def answer_consent(request: Request, at: At, cookies: Cookies) -> Flow[Response]:
    """Respond to a consent form: redirect to the client with the code and tokens, or with `access_denied`.

    Raises `ServerError` if the form does not belong to this session, was used before, or has expired.
    """
    refuse_other_origins(request, at)
    form = form_of(request)
    pending = unsealed(form.get("transaction") or "", at, CONSENT)
    if pending is None or pending.request is None:
        raise _expired()
    key = cookies.session or ""
    if not hmac.compare_digest(pending.browser, fingerprint(key)):
        raise InvalidRequest(description="This form was made for another browser or session.", status=400)
    check_csrf(form, _csrf(pending, at))
    session_id = yield from FindBrowser(key)
    session = (yield from FindSession(session_id)) if session_id else None
    if session is None or not (yield from UseOnce(f"consent/{pending.id}", pending.expires_at)):
        raise _expired()
    authorization_request = pending.request
    if form.get(ACCEPT) is None:
        denied = AccessDenied(description="User denied consent")
        answer = {"error": denied.error, "error_description": denied.description, "state": authorization_request.state}
        return sent_back(
            at,
            authorization_request.redirect_uri,
            {**answer, "iss": at.issuer},
            authorization_request.response_mode,
            303,
        )
    yield from remember_consent(at, session.sub, authorization_request.client_id, authorization_request.scope)
    return (yield from back_to_client(authorization_request, session, at, status=303))


def _csrf(pending: PendingLogin, at: At) -> str:
    return mac(at, "consent", pending.id, pending.browser)


def _expired() -> InvalidRequest:
    description = "This form has expired or was already used. Go back to the app and start again."
    return InvalidRequest(description=description, status=400)
