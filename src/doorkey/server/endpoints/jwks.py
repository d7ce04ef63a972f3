"""The JWK Set document (RFC 7517 §5)."""

from __future__ import annotations

from doorkey.server.context import At
from doorkey.server.responses.responses import json_response
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request, Response


def jwks(request: Request, at: At) -> Flow[Response]:
    """Return the public keys."""
    yield from ()  # a flow like the others, although it has no storage effect
    return json_response(at.keys.public_jwks(), headers=(("Cache-Control", "no-cache"),))
