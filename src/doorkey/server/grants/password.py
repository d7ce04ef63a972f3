"""The resource owner password grant (RFC 6749 §4.3), which is not in OAuth 2.1, but still in use."""

from __future__ import annotations

from typing import Any

from doorkey.errors import InvalidGrant, UnauthorizedClient
from doorkey.server.attempts import user_with_password
from doorkey.server.clients.scopes import granted_scope
from doorkey.server.context import At
from doorkey.server.model import Grant
from doorkey.server.registrations import PASSWORD, Client
from doorkey.server.responses.parameters import Parameters
from doorkey.server.sessions import start_session
from doorkey.server.tokens.claims import new_id
from doorkey.server.tokens.issuing import user_answer
from doorkey.wire.flow import Flow


def grant_by_password(form: Parameters, client: Client, at: At) -> Flow[dict[str, Any]]:
    """Return the token response for a user name and a password, in a new session.

    Raises `UnauthorizedClient`, `InvalidScope`, `InvalidRequest`, `InvalidGrant`, or `TemporarilyUnavailable` after too
    many wrong passwords.
    """
    if PASSWORD not in client.grants:
        raise UnauthorizedClient(description="Client not allowed for direct access grants", status=400)
    scope = granted_scope(client, form.get("scope"))
    username = form.need("username", status=401)
    user = yield from user_with_password(at, username, form.get("password") or "")
    if user is None:
        raise InvalidGrant(description="Invalid user credentials", status=400)
    grant = Grant(new_id(), client.client_id, scope, refresh_id=new_id())
    session = yield from start_session(at, user, grant)
    return user_answer(at, client, user, session, grant)
