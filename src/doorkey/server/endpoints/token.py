"""The token endpoint (RFC 6749 §3.2)."""

from __future__ import annotations

from doorkey.errors import InvalidClient, InvalidRequest, UnsupportedGrantType
from doorkey.server.clients.authentication import authenticate
from doorkey.server.context import At
from doorkey.server.grants import GRANTS, MAY_REPEAT, WITHOUT_CONSENT_PAGE
from doorkey.server.responses.parameters import form_of
from doorkey.server.responses.responses import answered, json_response
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request, Response


def token(request: Request, at: At) -> Flow[Response]:
    """Respond to a token request (RFC 6749 §5)."""
    return answered(_token(request, at))


def _token(request: Request, at: At) -> Flow[Response]:
    form = form_of(request, may_repeat={name for names in MAY_REPEAT.values() for name in names})
    grant_type = form.get("grant_type")
    if grant_type is None:
        raise InvalidRequest(description="Missing form parameter: grant_type", status=400)
    handler = GRANTS.get(grant_type)
    if handler is None:
        raise UnsupportedGrantType(description="Unsupported grant_type", status=400)
    form.refuse_repeats(MAY_REPEAT.get(grant_type, ()))
    client = yield from authenticate(request, form, at)
    if client.require_consent and grant_type in WITHOUT_CONSENT_PAGE and grant_type in client.grants:
        raise InvalidClient(description="Client requires user consent", status=400)
    return json_response((yield from handler(form, client, at)))
