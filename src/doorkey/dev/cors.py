"""Cross-origin requests of scripts in browsers, by the `web_origins` of the clients (Fetch §3.2).

The discovery document and the keys are public. The responses of the other endpoints are readable for a script whose
origin is registered for the client that the request names. The client need not be authenticated for this, because the
headers only let a browser pass the response to the script.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from doorkey.errors import OAuthError
from doorkey.jose.verification import unsafe_claims
from doorkey.server.clients.authentication import client_id_in
from doorkey.server.registrations import Client
from doorkey.server.tokens.bearer import bearer_token
from doorkey.wire.messages import Pairs, Request, Response
from doorkey.wire.urls import is_loopback

ANY = "*"
MAX_AGE = "3600"

_ALLOWED = "Origin, Accept, Authorization, Content-Type, DPoP"
_EXPOSED = "WWW-Authenticate, Retry-After, DPoP-Nonce"


def preflight(
    request: Request, methods: Iterable[str], *, public: bool, clients: Mapping[str, Client]
) -> Response | None:
    """Return the response to a preflight request, or None for any other request.

    A preflight request does not name the client, so the origin of any client of the realm is allowed.
    """
    origin = request.header("origin")
    if request.method != "OPTIONS" or origin is None or request.header("access-control-request-method") is None:
        return None
    if not public and not any(allows(client, origin) for client in clients.values()):
        return Response(403, (("Vary", "Origin"),))
    allowed = (("Access-Control-Allow-Methods", ", ".join(methods)), ("Access-Control-Allow-Headers", _ALLOWED))
    return Response(204, (*_granted(origin, public=public), *allowed, ("Access-Control-Max-Age", MAX_AGE)))


def with_cors(request: Request, response: Response, *, public: bool, clients: Mapping[str, Client]) -> Response:
    """Return `response` with the headers that let a script of a registered origin read it."""
    origin = request.header("origin")
    if origin is None:
        return response
    client = None if public else clients.get(_client_of(request) or "")
    if not public and (client is None or not allows(client, origin)):
        return replace(response, headers=(*response.headers, ("Vary", "Origin")))
    exposed = ("Access-Control-Expose-Headers", _EXPOSED)
    return replace(response, headers=(*response.headers, *_granted(origin, public=public), exposed))


def allows(client: Client, origin: str) -> bool:
    """Return whether a script of `origin` may use the tokens of `client`.

    Origins are compared exactly, except that a registered `http` loopback origin without a port matches any port.
    """
    return origin in client.web_origins or ANY in client.web_origins or _without_port(origin, client.web_origins)


def _without_port(origin: str, registered: Container[str]) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:  # invalid IPv6 address in brackets
        return False
    host, _, port = parts.netloc.rpartition(":")
    return parts.scheme == "http" and port.isdecimal() and is_loopback(host) and f"http://{host}" in registered


def _client_of(request: Request) -> str | None:
    token = bearer_token(request)
    if token is None:
        return client_id_in(request)
    try:
        claims = unsafe_claims(token)
    except OAuthError:
        return None
    return str(claims.get("azp") or claims.get("client_id"))


def _granted(origin: str, *, public: bool) -> Pairs:
    if public:
        return (("Access-Control-Allow-Origin", ANY),)
    return (
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
        ("Vary", "Origin"),
    )
