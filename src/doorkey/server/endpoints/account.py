"""The account page: a user's sessions and consents, with forms to end a session and revoke a consent."""

from __future__ import annotations

from dataclasses import dataclass

from doorkey.server.consents import revoke_consent
from doorkey.server.context import At
from doorkey.server.ended_sessions import end_session
from doorkey.server.endpoints.forms import Cookies, check_csrf, fingerprint, mac, refuse_other_origins
from doorkey.server.endpoints.login import LoginNeeded, ask_to_log_in
from doorkey.server.endpoints.logout import LoggedOut
from doorkey.server.model import Consent, Session
from doorkey.server.responses.parameters import Parameters, form_of
from doorkey.server.responses.responses import redirect
from doorkey.server.storage.effects import FindBrowser, FindConsents, FindSession, FindSessions, FindUser
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request, Response

END, END_OTHERS, REVOKE = "end_session", "end_other_sessions", "revoke_consent"
"""The names of the buttons. The value of `END` is the ID of a session, and the value of `REVOKE` the ID of a client."""


@dataclass(frozen=True, slots=True, repr=False)
class Account:
    """Show the account page. `current` is the session of this browser, and `others` the user's other sessions."""

    csrf: str
    username: str
    current: Session
    others: tuple[Session, ...]
    consents: tuple[Consent, ...]


def account(request: Request, at: At, cookies: Cookies) -> Flow[Response | LoginNeeded | LoggedOut | Account]:
    """Respond to a visit to the account page, or to one of its forms. A browser without a session has to log in.

    Raises `ServerError` for a form that does not belong to this session.
    """
    session_id = (yield from FindBrowser(cookies.session)) if cookies.session else None
    session = (yield from FindSession(session_id)) if session_id else None
    user = (yield from FindUser(session.sub)) if session else None
    if session is None or user is None or cookies.session is None:
        return ask_to_log_in(None, at, cookies)
    csrf = mac(at, "account", fingerprint(cookies.session))
    if request.method == "POST":
        refuse_other_origins(request, at)
        form = form_of(request)
        check_csrf(form, csrf)
        return (yield from _do(form, session, at))
    others = tuple(one for one in (yield from FindSessions(session.sub)) if one.id != session.id)
    newest_first = sorted(others, key=lambda one: one.seen_at, reverse=True)
    consents = (yield from FindConsents(session.sub)) or ()
    return Account(csrf, user.username, session, tuple(newest_first), consents)


def _do(form: Parameters, session: Session, at: At) -> Flow[Response | LoggedOut]:
    """Perform the action of a form's button. Sessions and consents of other users are not changed."""
    ended = form.get(END)
    if ended == session.id:
        return LoggedOut((yield from end_session(at, session.id)).frames)
    for one in (yield from FindSessions(session.sub)):
        if one.id == ended or (one.id != session.id and form.get(END_OTHERS) is not None):
            yield from end_session(at, one.id)
    if (client_id := form.get(REVOKE)) is not None:
        yield from revoke_consent(session.sub, client_id)
    return redirect(at.endpoints.account, {}, status=303)
