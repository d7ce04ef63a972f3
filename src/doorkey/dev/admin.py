"""The part of Keycloak's admin API that programs use: counting users and ending sessions.

An administrator belongs to one realm, but may send requests about any realm. The check of the administrator and the
operation are therefore two flows, each over the storage of its own realm.
"""

from __future__ import annotations

from doorkey.errors import InvalidToken
from doorkey.server import ended_sessions
from doorkey.server.context import At
from doorkey.server.responses.responses import json_response
from doorkey.server.storage.effects import CountUsers
from doorkey.server.tokens.bearer import authorized
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request, Response

ADMIN_ROLE = "admin"


def refuse_others(request: Request, at: At) -> Flow[Response | None]:
    """Return None if the request has the access token of an administrator, otherwise the error response."""
    try:
        _, user = yield from authorized(request, at, "admin")
    except InvalidToken as error:
        return json_response({"error": "HTTP 401 Unauthorized"}, 401, error.headers)
    if user is None or ADMIN_ROLE not in user.roles:
        return json_response({"error": "HTTP 403 Forbidden"}, 403)
    return None


def count_users(at: At) -> Flow[Response]:
    """Return the number of users."""
    headers = (("Content-Type", "application/json;charset=UTF-8"), ("Cache-Control", "no-cache"))
    return Response(200, headers, str((yield from CountUsers())).encode("ascii"))


def end_session(at: At, session_id: str) -> Flow[Response]:
    """End a session, and notify its clients. The response is 204, or 404 for an unknown session."""
    if not (yield from ended_sessions.end_session(at, session_id)).found:
        return json_response({"error": "Sesssion not found"}, 404)  # as Keycloak spells it
    return Response(204)
