"""The JWK Set document (RFC 7517 §5)."""

from __future__ import annotations

from doorkey.protocol.flow import Flow
from doorkey.protocol.http import Request, Response
from doorkey.server.answers import json_response
from doorkey.server.context import At


def jwks(request: Request, at: At) -> Flow[Response]:
    """Answer with the public keys."""
    yield from ()  # a flow like the others, though it asks nothing of the store
    return json_response(at.keys.public_jwks(), headers=(("Cache-Control", "no-cache"),))
