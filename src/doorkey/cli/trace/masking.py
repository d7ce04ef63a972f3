"""The parts of a request and of a response that a trace shows: only values that the specifications do not keep secret.

A value is shown only if its name is in a list of this module. For any other parameter, header or member, the trace
shows the name and the length of the value. So a value with a name that a server invents is hidden too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast
from urllib.parse import parse_qsl, urlsplit

from doorkey.cli.trace.events import Message, Rows
from doorkey.errors import printable
from doorkey.wire.messages import FORM, Request, Response
from doorkey.wire.redaction import redactor, without_tokens
from doorkey.wire.responses import excerpt_of
from doorkey.wire.strict_json import JSONProblem, parse_object
from doorkey.wire.urls import shown_url

_LONGEST: Final = 300
_MOST_LINES: Final = 400

PARAMETERS: Final = frozenset(
    {
        *("grant_type", "response_type", "response_mode", "client_id", "redirect_uri", "scope", "prompt", "max_age"),
        *("audience", "resource", "code_challenge_method", "client_assertion_type", "token_type_hint", "acr_values"),
        *("ui_locales", "iss", "error", "display", "access_type"),
    }
)
"""Parameters of requests and of the callback whose values are shown."""

HEADERS: Final = frozenset(
    {
        *("accept", "accept-encoding", "content-type", "content-length", "user-agent", "host", "date", "server"),
        *("cache-control", "pragma", "age", "expires", "retry-after", "allow", "vary", "via", "transfer-encoding"),
        *("strict-transport-security", "x-content-type-options", "x-frame-options", "referrer-policy", "connection"),
        *("access-control-allow-origin", "access-control-allow-methods", "access-control-allow-headers"),
    }
)
_CLEANED_HEADERS: Final = frozenset({"www-authenticate"})
"""Headers that are shown with any text that looks like a token hidden."""

MEMBERS: Final = frozenset(
    {
        *("token_type", "expires_in", "refresh_expires_in", "scope", "not-before-policy", "issued_token_type"),
        *("error", "error_uri", "interval", "verification_uri", "active"),
    }
)
"""Members of JSON responses whose values are shown."""
_CLEANED_MEMBERS: Final = frozenset({"error_description"})
CLAIMS: Final = frozenset({"iss", "aud", "azp", "exp", "iat", "nbf", "auth_time", "acr", "amr", "typ"})
"""Claims of an ID token whose values are shown. The others are personal, or secrets of the login."""
_PRIVATE_OF_KEY: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "k", "oth"})


def hidden(value: object) -> str:
    """Return the placeholder for a hidden value, with the length of a text."""
    if isinstance(value, str):
        return f"[hidden: {len(value)} characters]"
    return "[hidden]"


def shown(value: object) -> str:
    """Return a value that may be shown as printable text of limited length."""
    return printable(value if isinstance(value, str) else json.dumps(value), _LONGEST)


def parameters(pairs: Iterable[tuple[str, str]]) -> Rows:
    """Return the parameters of a request or of a callback in the form in which they are shown."""
    rows: list[tuple[str, str]] = []
    for name, value in pairs:
        if name == "redirect_uri":
            text = shown_url(value)
        elif name in _CLEANED_MEMBERS:
            text = shown(without_tokens(value))
        else:
            text = shown(value) if name in PARAMETERS else hidden(value)
        rows.append((printable(name, 80), text))
    return tuple(rows)


def of_url(url: str) -> tuple[str, Rows]:
    """Return a URL without its query, and the parameters of the query in the form in which they are shown."""
    return shown_url(url), parameters(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def claims_shown(claims: Mapping[str, Any]) -> Rows:
    """Return the claims of an ID token in the form in which they are shown."""
    return tuple(
        (printable(name, 80), shown(value) if name in CLAIMS else hidden(value)) for name, value in claims.items()
    )


def request_shown(request: Request) -> Message:
    """Return a request in the form in which it is shown."""
    place, query = of_url(request.url)
    body: Rows = query
    if (request.header("content-type") or "").partition(";")[0] == FORM:
        sent = request.content.decode("utf-8", "replace")
        body = (*query, *parameters(parse_qsl(sent, keep_blank_values=True)))
    elif request.content:
        body = (*query, ("body", f"[hidden: {len(request.content)} bytes]"))
    return Message(first=f"{request.method} {place}", headers=_headers(request.headers, _unchanged), body=body)


def response_shown(response: Response, *, is_public: bool) -> Message:
    """Return a response in the form in which it is shown.

    is_public: it is metadata or a key set. It is shown complete, except for private members of keys.
    """
    hide = redactor(response.request)

    def clean(text: str) -> str:
        return without_tokens(hide(text))

    first, headers = f"status {response.status}", _headers(response.headers, clean)
    try:
        members = parse_object(response.body)
    except JSONProblem:
        kind = printable(response.media_type, 80) or "no type"
        excerpt = f"[{len(response.body)} bytes of {kind}] {printable(excerpt_of(response), _LONGEST)}".rstrip()
        return Message(first=first, headers=headers, lines=(excerpt,) if response.body else ())
    if is_public:
        text = json.dumps(_without_private_keys(members), indent=2, ensure_ascii=False)
        lines = [printable(line, _LONGEST) for line in text.splitlines()[:_MOST_LINES]]
        return Message(first=first, headers=headers, lines=tuple(lines))
    return Message(first=first, headers=headers, body=_members(members, clean))


def _members(members: Mapping[str, Any], clean: Any) -> Rows:
    rows: list[tuple[str, str]] = []
    for name, value in members.items():
        if name in _CLEANED_MEMBERS and isinstance(value, str):
            text = shown(clean(value))
        else:
            text = shown(value) if name in MEMBERS else hidden(value)
        rows.append((printable(name, 80), text))
    return tuple(rows)


def _headers(headers: Iterable[tuple[str, str]], clean: Any) -> Rows:
    rows: list[tuple[str, str]] = []
    for name, value in headers:
        known = name.lower()
        if known == "location":
            text = shown_url(value)
        elif known == "authorization":
            text = f"{printable(value.partition(' ')[0], 20)} {hidden(value.partition(' ')[2])}"
        elif known in _CLEANED_HEADERS:
            text = shown(clean(value))
        else:
            text = shown(value) if known in HEADERS else hidden(value)
        rows.append((printable(name, 80), text))
    return tuple(rows)


def _unchanged(text: str) -> str:
    return text


def _without_private_keys(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document with the private members of keys hidden. A server may publish them by mistake."""
    keys: object = members.get("keys")
    if not isinstance(keys, list):
        return dict(members)
    listed: list[Any] = []
    for key in cast("list[object]", keys):
        if isinstance(key, dict):
            jwk = cast("dict[str, Any]", key)
            listed.append({name: "[hidden]" if name in _PRIVATE_OF_KEY else value for name, value in jwk.items()})
        else:
            listed.append("[hidden]")
    return {**members, "keys": listed}
