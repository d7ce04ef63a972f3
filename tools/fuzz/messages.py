"""Inputs of the fuzz targets: an HTTP response as text, so that a mutation of the bytes changes the message."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from doorkey.wire.messages import Response
from doorkey.wire.strict_json import JSONProblem, parse_object

NOW = 1_700_000_000.0
ISSUER = "https://as.example"


def response_of(data: bytes) -> Response:
    """Return the response in `data`, which has a status, lines of headers, an empty line and the body."""
    head, _, body = data.partition(b"\n\n")
    status, *lines = head.decode("latin-1").split("\n")
    headers = tuple((name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
    return Response(int(status) if status in _STATUSES else 200, headers, body)


def response(members: object, status: int = 200, media_type: str = "application/json", **headers: str) -> bytes:
    """Return the text of a response whose body is JSON, or the given bytes."""
    lines = [f"{status}", f"Content-Type: {media_type}", *(f"{name}: {value}" for name, value in headers.items())]
    body = members if isinstance(members, bytes) else as_json(members)
    return "\n".join(lines).encode() + b"\n\n" + body


def as_json(members: object) -> bytes:
    """Return JSON bytes."""
    return json.dumps(members).encode()


def members_of(data: bytes) -> dict[str, Any]:
    """Return the JSON object in `data`, or an empty one if it is invalid, for functions that take a parsed object."""
    try:
        return parse_object(data)
    except JSONProblem:
        return {}


def text_of(data: bytes) -> str:
    """Return the text of a URL or token; bytes that are not UTF-8 become lone surrogates, as in a WSGI environment."""
    return data.decode("utf-8", "surrogateescape")


def pairs_of(text: str) -> tuple[tuple[str, str], ...]:
    """Return the parameters of a form or query, as a framework parses them."""
    return tuple(parse_qsl(text.partition("?")[2] or text, keep_blank_values=True, errors="surrogateescape"))


_STATUSES = frozenset(str(status) for status in (200, 201, 204, 302, 304, 400, 401, 403, 404, 429, 500, 502, 503))
