"""What of an answer is the same in every run, with a typed placeholder for what is not.

Tokens, codes, keys and ids become "<jwt>", "<code>", "<key>", "<uuid>", …; moments become "<int>"; the origin becomes
"<origin>". Lists of texts and scopes are sorted, because Keycloak keeps no order. Seconds left are rounded up to tens,
because an answer may be a second late.
"""

import base64
import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

TYPES = {bool: "bool", int: "int", float: "float", str: "str", dict: "object", type(None): "null"}
HEADERS = ("content-type", "cache-control", "pragma", "www-authenticate", "location", "allow")
KEYS = {"kid", "n", "x", "y", "x5t", "x5t#S256", "at_hash", "c_hash", "s_hash"}
MOMENTS = {"exp", "iat", "nbf", "auth_time", "updated_at"}
SESSIONS = {"session_state", "sid"}
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
    """Where a redirect leads: the URL without its parameters, and these, in order, from the query or the fragment."""
    parts = urlsplit(url)
    base = url.split("?", 1)[0].split("#", 1)[0].replace(origin, "<origin>")
    return {
        "url": base,
        "query": [[name, value(text, origin, name)] for name, text in parse_qsl(parts.query, True)],
        "fragment": [[name, value(text, origin, name)] for name, text in parse_qsl(parts.fragment, True)],
    }


def claims(token: str) -> dict[str, Any]:
    """The names of a token's header members and claims, with the types of their values; not the values."""
    header, payload = (_decoded(part) for part in token.split(".")[:2])
    return {
        "header": {name: _kind(member) for name, member in sorted(header.items())},
        "claims": {name: _kind(member) for name, member in sorted(payload.items())},
        "alg": header["alg"],
        "typ": payload.get("typ"),
    }


def value(item: Any, origin: str, name: str = "") -> Any:  # noqa: PLR0911, C901 - a table in the form of ifs
    """A JSON value, or a parameter called `name`, with placeholders for what differs."""
    if isinstance(item, dict):
        members: dict[str, Any] = item
        return {key: value(member, origin, key) for key, member in sorted(members.items())}
    if isinstance(item, list):
        items: list[Any] = [value(member, origin, name) for member in item]
        return sorted(items, key=json.dumps)
    if isinstance(item, bool) or item is None:
        return item
    if isinstance(item, int):
        if name in REMAINING:
            return -(-item // 10) * 10
        return "<int>" if name in MOMENTS or not name else item
    if not isinstance(item, str):
        return f"<{_kind(item)}>"
    if name in SESSIONS:
        return "<session>"
    if name == "code" or name == "jti":
        return f"<{name}>"
    if name in KEYS or name == "x5c":
        return "<key>"
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
        kinds: list[str] = sorted({_kind(member) for member in item})
        return f"list of {' or '.join(kinds)}" if kinds else "list"
    return TYPES[type(item)]
