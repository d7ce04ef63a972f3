"""Client authentication at the token, introspection, revocation and logout endpoints (RFC 6749 §2.3, RFC 7523
§2.2)."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from urllib.parse import unquote_plus

from doorkey.errors import InvalidClient, InvalidRequest, OAuthError, UnauthorizedClient
from doorkey.server.attempts import count_failure_of_address, refuse_waiting_address
from doorkey.server.clients.assertion import ASSERTION_TYPE, UNKNOWN, check_assertion, subject_of
from doorkey.server.context import At
from doorkey.server.registrations import CLIENT_SECRET_BASIC, CLIENT_SECRET_POST, NONE, Client
from doorkey.server.responses.parameters import Parameters, form_of
from doorkey.server.storage.effects import FindClient
from doorkey.values import Secret
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request

BASIC_CHALLENGE = (("WWW-Authenticate", 'Basic realm="token endpoint", charset="UTF-8"'),)

_BASIC = re.compile(r"basic +([A-Za-z0-9+/=]+) *", re.IGNORECASE)


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """The client ID in a request, and at most one credential: a secret or an assertion."""

    client_id: str
    method: str
    secret: Secret | None = None
    assertion: str | None = None


def authenticate(request: Request, form: Parameters, at: At) -> Flow[Client]:
    """Return the client that sent a request, authenticated by a method that is registered for it.

    Raises `InvalidRequest` if the request uses several methods, `InvalidClient` or `UnauthorizedClient` if the
    authentication fails, and `TemporarilyUnavailable` after too many failures from the caller's address (RFC 6749
    §2.3.1).
    """
    credentials = _credentials(request, form)
    client = yield from FindClient(credentials.client_id)
    challenge = BASIC_CHALLENGE if credentials.method == CLIENT_SECRET_BASIC else ()
    if client is None:
        raise InvalidClient(description=UNKNOWN, status=401, headers=challenge)
    if credentials.assertion is not None:
        yield from check_assertion(credentials.assertion, client, at)
        return client
    if client.is_public and credentials.method != CLIENT_SECRET_BASIC:
        return client  # a secret that a public client sends proves nothing, and does no harm
    if credentials.method not in client.auth_methods or credentials.secret is None or client.secret is None:
        raise UnauthorizedClient(description=UNKNOWN, status=401, headers=challenge)
    yield from refuse_waiting_address(at)
    if credentials.secret != client.secret:
        yield from count_failure_of_address(at)
        raise UnauthorizedClient(description=UNKNOWN, status=401, headers=challenge)
    return client


def client_id_in(request: Request) -> str | None:
    """Return the client ID in a request, which is not authenticated, or None."""
    try:
        return _credentials(request, form_of(request)).client_id
    except OAuthError:
        return None


def _credentials(request: Request, form: Parameters) -> Credentials:
    basic = _from_header(request.header("authorization"))
    posted, assertion = form.get("client_secret"), form.get("client_assertion")
    if sum(proof is not None for proof in (basic, posted, assertion)) > 1:
        raise InvalidRequest(description="more than one method of client authentication", status=400)
    client_id = form.get("client_id")
    if basic is not None:
        if client_id not in (None, basic.client_id):
            raise InvalidRequest(description="client_id is not the client of the Authorization header", status=400)
        return basic
    if assertion is not None:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise InvalidClient(description="Unknown client_assertion_type", status=401)
        return Credentials(subject_of(assertion, client_id), "assertion", assertion=assertion)
    if client_id is None:
        raise InvalidClient(description=UNKNOWN, status=401)
    if posted is not None:
        return Credentials(client_id, CLIENT_SECRET_POST, Secret(posted))
    return Credentials(client_id, NONE)


def _from_header(header: str | None) -> Credentials | None:
    """Return the form-decoded credentials in `Authorization: Basic` (RFC 6749 §2.3.1), or None for another scheme."""
    match = _BASIC.fullmatch(header or "")
    if match is None:
        return None
    try:
        name, colon, secret = base64.b64decode(match[1], validate=True).decode("ascii").partition(":")
        if not colon:
            raise ValueError
        return Credentials(
            unquote_plus(name, errors="strict"),
            CLIENT_SECRET_BASIC,
            Secret(unquote_plus(secret, errors="strict")),
        )
    except (binascii.Error, ValueError):
        raise InvalidClient(description=UNKNOWN, status=401, headers=BASIC_CHALLENGE) from None
