"""What of an answer is the same in every run, with a typed placeholder for what is not.

Tokens, codes, keys and ids become "<jwt>", "<code>", "<key>", "<uuid>"; moments become "<int>"; the origin
becomes "<origin>". Lists and scopes are sorted, because Keycloak keeps no order. Seconds left are rounded up
to tens, because an answer may be a second late.
"""

import base64
import json
import re
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import requests

TYPES: dict[type, str] = {
    bool: "bool",
    int: "int",
    float: "float",
    str: "str",
    dict: "object",
    type(None): "null",
}
HEADERS = ("content-type", "cache-control", "pragma", "www-authenticate", "location", "allow")
# what a member's name says of its value
NAMED: dict[str, str] = {
    **dict.fromkeys(("kid", "n", "x", "y", "x5c", "x5t", "x5t#S256"), "<key>"),
    **dict.fromkeys(("session_state", "sid"), "<session>"),
    "code": "<code>",
    "jti": "<jti>",
}
MOMENTS = {"exp", "iat", "nbf", "auth_time", "updated_at"}
REMAINING = {"expires_in", "refresh_expires_in"}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")


def answer(response: requests.Response, origin: str) -> dict[str, Any]:
    """Status, the headers that matter, and the body."""
    headers: dict[str, Any] = {}
    for name in HEADERS:
        if (text := response.headers.get(name)) is not None:
            headers[name] = location(text, origin) if name == "location" else text.replace(origin, "<origin>")
    return {"status": response.status_code, "headers": headers, "body": _body(response, origin)}


def location(url: str, origin: str) -> dict[str, Any]:
    """Where a redirect leads: the URL without its parameters, and these in order."""
    parts = urlsplit(url)

    def pairs(text: str) -> list[list[Any]]:
        return [[name, value(item, origin, name)] for name, item in parse_qsl(text, keep_blank_values=True)]

    base = url.split("?", 1)[0].split("#", 1)[0].replace(origin, "<origin>")
    return {"url": base, "query": pairs(parts.query), "fragment": pairs(parts.fragment)}


def claims(token: str) -> dict[str, Any]:
    """The names of a token's header members and claims, with the types of their values; not the values."""
    header, payload = (_decoded(part) for part in token.split(".")[:2])
    return {
        "header": {name: _kind(member) for name, member in sorted(header.items())},
        "claims": {name: _kind(member) for name, member in sorted(payload.items())},
        "alg": header["alg"],
        "typ": payload.get("typ"),
    }


def value(item: object, origin: str, name: str = "") -> Any:
    """A JSON value, or a parameter called `name`, with placeholders for what differs."""
    if isinstance(item, dict):
        members = cast("dict[str, object]", item)
        return {key: value(member, origin, key) for key, member in sorted(members.items())}
    if isinstance(item, list):
        items = cast("list[object]", item)
        return sorted((value(member, origin, name) for member in items), key=json.dumps)
    if isinstance(item, bool) or item is None:
        return item
    if isinstance(item, int):
        if name in REMAINING:
            return -(-item // 10) * 10
        return "<int>" if name in MOMENTS or not name else item
    return _text(item, origin, name) if isinstance(item, str) else f"<{_kind(item)}>"


def _text(item: str, origin: str, name: str) -> str:
    if name in NAMED:
        return NAMED[name]
    if JWT.fullmatch(item):
        return "<jwt>"
    if UUID.fullmatch(item):
        return "<uuid>"
    if name == "scope":
        return " ".join(sorted(item.split()))
    return item.replace(origin, "<origin>")


def _body(response: requests.Response, origin: str) -> Any:
    kind = response.headers.get("content-type", "")
    if not response.content:
        return None
    if "json" in kind:
        return value(response.json(), origin)
    return "<html>" if "html" in kind else response.text.replace(origin, "<origin>")


def _decoded(part: str) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return members


def _kind(item: object) -> str:
    if isinstance(item, list):
        kinds = sorted({_kind(member) for member in cast("list[object]", item)})
        return f"list of {' or '.join(kinds)}" if kinds else "list"
    return TYPES[type(item)]
