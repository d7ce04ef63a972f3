"""As much of Keycloak's admin API as programs use to look at users and to end sessions."""

from __future__ import annotations

from doorkey.errors import InvalidToken
from doorkey.protocol.flow import Flow
from doorkey.protocol.http import Request, Response
from doorkey.server.answers import json_response
from doorkey.server.bearer import authorized
from doorkey.server.context import At
from doorkey.server.storage import CountUsers, EndSession

ADMIN_ROLE = "admin"


def count_users(request: Request, at: At, realm_at: At) -> Flow[Response]:
    """Answer with the number of users. `at` is the realm of the administrator, `realm_at` the one that is asked about."""
    return (yield from _as_admin(request, at)) or json_response((yield from CountUsers()))


def end_session(request: Request, at: At, session_id: str) -> Flow[Response]:
    """End a session: 204, or 404 if there is none."""
    refusal = yield from _as_admin(request, at)
    if refusal is not None:
        return refusal
    if not (yield from EndSession(session_id)):
        return json_response({"error": "Sesssion not found"}, 404)  # as Keycloak spells it
    return Response(204)


def _as_admin(request: Request, at: At) -> Flow[Response | None]:
    try:
        _, user = yield from authorized(request, at, "admin")
    except InvalidToken as error:
        return json_response({"error": "HTTP 401 Unauthorized"}, 401, error.headers)
    if user is None or ADMIN_ROLE not in user.roles:
        return json_response({"error": "HTTP 403 Forbidden"}, 403)
    return None
