"""The client registration endpoint (RFC 7591 §3), and the configuration endpoint of each client (RFC 7592 §2)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from doorkey.errors import InvalidToken, TemporarilyUnavailable
from doorkey.protocol.registered_client import ISSUED
from doorkey.protocol.registration import InvalidClientMetadata
from doorkey.server.attempts import count_failure_of_address, refuse_waiting_address
from doorkey.server.context import At
from doorkey.server.registered import Registration, accepted
from doorkey.server.registrations import NONE, PRIVATE_KEY_JWT
from doorkey.server.responses.responses import NO_STORE, answered, json_response
from doorkey.server.storage.effects import RevokeToken
from doorkey.server.storage.registered import (
    MAX_CLIENTS,
    AddRegistration,
    FindRegistration,
    RemoveRegistration,
    ReplaceRegistration,
)
from doorkey.server.tokens.bearer import bearer_token, challenge
from doorkey.server.tokens.reading import tokens_of_client
from doorkey.values import Secret
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request, Response
from doorkey.wire.strict_json import JSONProblem, parse_object

REALM = "registration"


def register(request: Request, at: At) -> Flow[Response]:
    """Register a client, and return its ID, its secret and its registration access token (RFC 7591 §3.2.1)."""
    return answered(_register(request, at))


def manage(request: Request, at: At, client_id: str) -> Flow[Response]:
    """Respond to GET, PUT and DELETE at the URL of a registered client (RFC 7592 §2)."""
    return answered(_manage(request, at, client_id))


def _register(request: Request, at: At) -> Flow[Response]:
    yield from _check_initial_access_token(request, at)
    metadata = accepted(_members(request))
    token = secrets.token_urlsafe(32)
    new = Registration(
        client_id=str(uuid.uuid4()),
        metadata=metadata,
        token=_digest(token),
        issued_at=int(at.now),
        secret=_secret_for(metadata, None),
    )
    _check_algorithms(metadata, at)
    if not (yield from AddRegistration(new)):
        full = f"{MAX_CLIENTS} clients, the limit, have registered themselves: delete some (RFC 7592 §2.3)"
        raise TemporarilyUnavailable(description=full, status=503)
    return json_response(_document(new, token, at), 201)


def _manage(request: Request, at: At, client_id: str) -> Flow[Response]:
    token = bearer_token(request) or ""
    yield from refuse_waiting_address(at)
    found = yield from FindRegistration(client_id)
    if found is None or not hmac.compare_digest(found.token, _digest(token)):
        yield from count_failure_of_address(at)
        raise _unauthorized("the registration access token does not belong to this client")
    if request.method == "DELETE":
        yield from RemoveRegistration(client_id)
        yield from RevokeToken(tokens_of_client(client_id), at.now + at.settings.access_token_lifetime)
        return Response(204, NO_STORE)
    if request.method == "PUT":
        new = _updated(found, _members(request), at)
        if not (yield from ReplaceRegistration(found, new)):
            raise TemporarilyUnavailable(description="the client is being changed by another request", status=503)
        found = new
    return json_response(_document(found, token, at))


def _updated(found: Registration, members: Mapping[str, Any], at: At) -> Registration:
    """Return the registration after an update (RFC 7592 §2.2). Raises `InvalidClientMetadata`."""
    if members.get("client_id") != found.client_id:
        raise InvalidClientMetadata(description="client_id is not the client of this URL", status=400)
    secret = None if found.secret is None else found.secret.reveal()
    sent: object = members.get("client_secret", secret)
    if not isinstance(sent, str | None) or (sent is not None and Secret(sent) != found.secret):
        raise InvalidClientMetadata(description="client_secret is not the secret of this client", status=400)
    for name in ISSUED[2:]:
        if name in members:
            raise InvalidClientMetadata(description=f"{name} can only be set by the server", status=400)
    metadata = accepted(members)
    _check_algorithms(metadata, at)
    return replace(found, metadata=metadata, secret=_secret_for(metadata, found.secret))


def _check_initial_access_token(request: Request, at: At) -> Flow[None]:
    wanted = at.registration.initial_access_token if at.registration else None
    if wanted is None:
        return
    yield from refuse_waiting_address(at)
    if Secret(bearer_token(request) or "") != wanted:
        yield from count_failure_of_address(at)
        raise _unauthorized("registration needs the initial access token of this server")


def _check_algorithms(metadata: Mapping[str, Any], at: At) -> None:
    """Raise `InvalidClientMetadata` for a signature algorithm that this realm does not use."""
    for what in ("id_token", "userinfo", "introspection"):
        alg = metadata.get(f"{what}_signed_response_alg")
        if alg is not None and not alg.startswith("HS") and alg not in at.keys.algorithms:
            known = ", ".join(at.keys.algorithms)
            unsupported = f"{what}_signed_response_alg is not one of {known}, HS256, HS384, HS512"
            raise InvalidClientMetadata(description=unsupported, status=400)


def _members(request: Request) -> dict[str, Any]:
    """Return the JSON object in the body. The media type is required, as a form of another site cannot have it."""
    if (request.header("content-type") or "").partition(";")[0].strip().lower() != "application/json":
        raise InvalidClientMetadata(description="the body is not application/json", status=400)
    try:
        return parse_object(request.content)
    except JSONProblem as bad:
        raise InvalidClientMetadata(description=f"the body is not a valid registration: {bad}", status=400) from None


def _secret_for(metadata: Mapping[str, Any], known: Secret | None) -> Secret | None:
    if metadata["token_endpoint_auth_method"] in (NONE, PRIVATE_KEY_JWT):
        return None
    return known or Secret(secrets.token_urlsafe(32))


def _document(client: Registration, token: str, at: At) -> dict[str, Any]:
    """Return the client information response (RFC 7591 §3.2.1, RFC 7592 §3)."""
    issued: dict[str, Any] = {"client_id": client.client_id, "client_id_issued_at": client.issued_at}
    if client.secret is not None:
        issued |= {"client_secret": client.secret.reveal(), "client_secret_expires_at": 0}
    issued["registration_client_uri"] = f"{at.endpoints.registration}/{client.client_id}"
    issued["registration_access_token"] = token
    return {**issued, **client.metadata}


def _unauthorized(why: str) -> InvalidToken:
    return InvalidToken(description=why, status=401, headers=challenge(REALM, "invalid_token", why))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
