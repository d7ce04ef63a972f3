"""Dynamic client registration: register, read, update and delete a client (RFC 7591 §3, RFC 7592 §2).

Each operation is a pair of functions, which build the request and parse the response. The server that issued the token
of management requests also issued their URL, so the token is sent to that URL only.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any, Final, cast

from doorkey.arguments import mapping, texts
from doorkey.errors import InvalidResponse, ServerError, UsageError, VerificationError, printable, scrubbed
from doorkey.protocol.registered_client import ISSUED, RegisteredClient
from doorkey.tokens import legal_token
from doorkey.values import Scope, Secret, hides_locals
from doorkey.wire.error_context import names_exchange
from doorkey.wire.key_material import holds_key
from doorkey.wire.messages import Request, Response
from doorkey.wire.responses import json_answer, raise_for_status, raise_oauth_error
from doorkey.wire.strict_json import JSONProblem, parse_object
from doorkey.wire.urls import check_endpoint

JWKS: Final = "jwks"
STATEMENT: Final = "software_statement"
"""A JWT of another party, which is not examined here (RFC 7591 §2.3)."""
PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"})
"""Members of a private or symmetric JWK (RFC 7518 §6)."""

_ACCEPT: Final = ("Accept", "application/json")
_JSON: Final = ("Content-Type", "application/json")


class InvalidRedirectURI(ServerError):
    """The server does not accept a redirect URI in a registration request (RFC 7591 §3.2.2)."""

    code = "invalid_redirect_uri"


class InvalidClientMetadata(ServerError):
    """The server does not accept a metadata member in a registration request (RFC 7591 §3.2.2)."""

    code = "invalid_client_metadata"


class InvalidSoftwareStatement(ServerError):
    """The software statement of a registration is not valid (RFC 7591 §3.2.2)."""

    code = "invalid_software_statement"


class UnapprovedSoftwareStatement(ServerError):
    """The server does not accept this software statement, or does not trust its issuer (RFC 7591 §3.2.2)."""

    code = "unapproved_software_statement"


def client_metadata(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of a client as JSON values for a request (RFC 7591 §2).

    members: the metadata. A member of None is omitted, and `scope` may be a list of scopes.

    Raises `UsageError` for a value that is not JSON, for a member that only the server sets, for an illegal redirect
    URI, for a key outside `jwks`, and for a private or symmetric key in `jwks`.
    """
    given = {name: value for name, value in mapping(members, "client metadata").items() if value is not None}
    for name in ISSUED:
        if name in given:
            raise UsageError(f"{name} is issued by the server, so it must not be in a registration request: remove it")
    if "scope" in given:
        given["scope"] = str(Scope.of(given["scope"]))
    for uri in texts(given.get("redirect_uris", ()), "redirect_uris"):
        if "#" in uri or " " in uri or not uri.isascii() or not uri.isprintable():
            raise UsageError("a redirect URI has a fragment, or a character that is illegal in a URI (RFC 6749 §3.1.2)")
    plain: dict[str, Any] = json.loads(_encoded(given))
    _refuse_keys(plain)
    return plain


def registration_request(
    endpoint: str,
    metadata: Mapping[str, Any],
    *,
    initial_access_token: Secret | None = None,
    http_hosts: Collection[str] = (),
) -> Request:
    """Return the request that registers a client (RFC 7591 §3.1).

    endpoint: the URL of the registration endpoint.
    metadata: the result of `client_metadata`.
    initial_access_token: the token that the server requires for a registration, or None.
    http_hosts: hosts beside loopback that plain http may reach.

    Raises `UsageError` for an invalid endpoint or token.
    """
    check_endpoint(endpoint, "registration endpoint", http_hosts)
    headers = (_ACCEPT, _JSON, *_bearer(initial_access_token, "initial access token"))
    return Request("POST", endpoint, headers, body=_encoded(metadata).encode())


def read_request(client: RegisteredClient, http_hosts: Collection[str] = ()) -> Request:
    """Return the request for the current registration of `client` (RFC 7592 §2.1).

    http_hosts: hosts beside loopback that plain http may reach.

    Raises `UsageError` for a client without a `registration_client_uri` or a `registration_access_token`.
    """
    return _management_request("GET", client, http_hosts)


def update_request(client: RegisteredClient, metadata: Mapping[str, Any], http_hosts: Collection[str] = ()) -> Request:
    """Return the request that replaces the metadata of `client` (RFC 7592 §2.2). The server removes absent members.

    metadata: the result of `client_metadata`.
    http_hosts: hosts beside loopback that plain http may reach.

    The errors are those of `read_request`.
    """
    body = _encoded({**metadata, "client_id": client.client_id}).encode()
    return _management_request("PUT", client, http_hosts, (_JSON,), body)


def delete_request(client: RegisteredClient, http_hosts: Collection[str] = ()) -> Request:
    """Return the request that deletes `client` at the server (RFC 7592 §2.3).

    http_hosts: hosts beside loopback that plain http may reach.

    The errors are those of `read_request`.
    """
    return _management_request("DELETE", client, http_hosts)


@names_exchange
def parse_registration(
    response: Response,
    *,
    issuer: str | None = None,
    known: RegisteredClient | None = None,
    http_hosts: Collection[str] = (),
    now: float | None = None,
) -> RegisteredClient:
    """Return the client in the response to a registration, a read or an update (RFC 7591 §3.2.1, RFC 7592 §3).

    issuer: the issuer of the server, or None.
    known: the client before a read or an update. Issued values that the response lacks are taken from it, because a
        server sends a secret or token only if it changes.
    http_hosts: hosts beside loopback that plain http may reach.
    now: seconds since the epoch, for a date in `Retry-After` of `response`.

    Raises `ServerError` (`InvalidRedirectURI`, `InvalidClientMetadata`, …) for an error response, `InvalidResponse` for
    a response that is not a registration, and `VerificationError` for another client than `known`.
    """
    members: dict[str, Any] = json_answer(response, "client registration response", now)
    if known is not None and members.get("client_id") != known.client_id:
        shown = printable(str(members.get("client_id")), 80)
        raise VerificationError("client_id", f"of the response is {shown}: another client", expected=known.client_id)
    if known is not None:
        for name, value in known.issued().items():
            members.setdefault(name, value)
        if members.get("token_endpoint_auth_method") == "none":
            members.pop("client_secret", None)
    if _is_downgrade(response, members):
        reason = "an https server names a registration_client_uri that is not https"
        raise InvalidResponse("registration_client_uri", reason, status=response.status)
    try:
        return RegisteredClient.of_members(members, issuer=issuer, http_hosts=http_hosts)
    except UsageError as wrong:
        raise InvalidResponse("registration", wrong.description, status=response.status) from None


@names_exchange
def check_deletion(response: Response, now: float | None = None) -> None:
    """Raise an error unless `response` reports that the client was deleted (RFC 7592 §2.3).

    now: seconds since the epoch, for a date in `Retry-After` of `response`.

    Raises `ServerError` for an error response, and `InvalidResponse` for any other status but success.
    """
    if 200 <= response.status < 300:
        return
    with suppress(JSONProblem):
        raise_oauth_error(response, parse_object(response.body), now)
    raise_for_status(response, now)


def _management_request(
    method: str,
    client: RegisteredClient,
    http_hosts: Collection[str],
    headers: tuple[tuple[str, str], ...] = (),
    body: bytes | None = None,
) -> Request:
    uri, token = client.registration_client_uri, client.registration_access_token
    if uri is None or token is None:
        raise UsageError(
            "this client cannot be managed: the server issued no registration_client_uri and registration_access_token"
        )
    check_endpoint(uri, "registration_client_uri", http_hosts)
    return Request(method, uri, (_ACCEPT, *headers, *_bearer(token, "registration access token")), body=body)


def _is_downgrade(response: Response, members: Mapping[str, Any]) -> bool:
    request, uri = response.request, members.get("registration_client_uri")
    secure = request is not None and request.url.startswith("https:")
    return secure and isinstance(uri, str) and not uri.startswith("https:")


@hides_locals
def _bearer(token: Secret | None, what: str) -> tuple[tuple[str, str], ...]:
    if token is None:
        return ()
    if not legal_token(token.reveal()):
        raise UsageError(f"the {what} must be a text of visible ASCII characters")
    return (("Authorization", f"Bearer {token.reveal()}"),)


def _encoded(members: Mapping[str, Any]) -> str:
    try:
        encoded = json.dumps(dict(members), allow_nan=False, ensure_ascii=False)
        encoded.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError("client metadata must be JSON values: texts, numbers, lists, mappings") from scrubbed(error)
    return encoded


@hides_locals
def _refuse_keys(metadata: Mapping[str, Any]) -> None:
    """Raise `UsageError` for a private key anywhere, and for a public one outside `jwks`."""
    for name, value in metadata.items():
        if name == JWKS:
            keys: object = mapping(value, "jwks").get("keys")
            for key in cast("list[object]", keys) if isinstance(keys, list) else ():
                if PRIVATE & set(mapping(key, "each key of jwks")):
                    raise UsageError("jwks has a private or symmetric key: register only public keys")
        elif name != STATEMENT and holds_key(value):
            raise UsageError(f"{printable(name, 80)} contains a key: put the public keys of the client into jwks")
