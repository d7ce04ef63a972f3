"""Finds the issuer of a user by WebFinger (OpenID Connect Discovery 1.0 §2, RFC 7033)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple, cast
from urllib.parse import quote, urlsplit

from doorkey.arguments import text
from doorkey.errors import InvalidResponse, UsageError
from doorkey.values import hides_locals
from doorkey.wire.messages import Request, Response
from doorkey.wire.responses import json_answer
from doorkey.wire.urls import check_endpoint, is_loopback

ISSUER_RELATION: Final = "http://openid.net/specs/connect/1.0/issuer"

_PLACE: Final = "/.well-known/webfinger"
_XRI: Final = ("=", "@", "!")
_SCHEME: Final = re.compile(r"(acct:|https?://)", re.IGNORECASE)
_OTHER_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?![0-9]+(/|\?|$))")
"""A scheme other than `acct`, `http` and `https`. A colon before a port does not match."""
_ACCOUNT: Final = re.compile(r"[^@/?#]+@[^@/?#:]+")
_MAX_LENGTH: Final = 2048


class Resource(NamedTuple):
    """The resource of a WebFinger request, and the URL of the host that receives the request."""

    name: str
    host_url: str


@hides_locals
def resource_of(identifier: str, http_hosts: Collection[str] = ()) -> Resource:
    """Return the normalized resource of `identifier`, and its host (OpenID Connect Discovery 1.0 §2.1).

    identifier: an email address, an `acct:` URI, a host or a URL, as the user typed it.
    http_hosts: hosts beside loopback that plain http may reach.

    Raises `UsageError` for any other text, an XRI included.
    """
    typed = text(identifier, "the identifier of the user").strip().partition("#")[0]
    has_scheme = _SCHEME.match(typed)
    other = typed.startswith(_XRI) or (not has_scheme and _OTHER_SCHEME.match(typed))
    if not typed.isprintable() or not typed or other or len(typed) > _MAX_LENGTH:
        raise UsageError("the identifier of a user must be an email address, an acct: URI, a host or an https URL")
    if not has_scheme:
        typed = f"acct:{typed}" if _ACCOUNT.fullmatch(typed) else f"https://{typed}"
    scheme, _, rest = typed.partition(":")
    if scheme.lower() != "acct":
        check_endpoint(typed, "identifier of the user", http_hosts)
        parts = urlsplit(typed)
        return Resource(typed, f"{parts.scheme}://{parts.netloc}")
    account, _, host = rest.rpartition("@")
    if not account or "/" in rest or "?" in rest:
        raise UsageError("an acct: URI must have the form acct:NAME@HOST (RFC 7565 §7)")
    name = urlsplit(f"//{host}").hostname or ""
    plain = is_loopback(name) or name in http_hosts  # an acct: URI has no scheme that selects plain http
    host_url = check_endpoint(f"{'http' if plain else 'https'}://{host}", "host of the acct: URI", http_hosts)
    return Resource(f"acct:{rest}", host_url)


def issuer_request(resource: Resource) -> Request:
    """Return the request for the issuer of `resource` (RFC 7033 §4.1)."""
    query = f"resource={quote(resource.name, safe='')}&rel={quote(ISSUER_RELATION, safe='')}"
    return Request("GET", f"{resource.host_url}{_PLACE}?{query}", (("Accept", "application/jrd+json"),))


def parse_issuer(response: Response, http_hosts: Collection[str] = (), now: float | None = None) -> str:
    """Return the issuer in a WebFinger response (OpenID Connect Discovery 1.0 §2).

    http_hosts: hosts beside loopback that plain http may reach.
    now: seconds since the epoch, for a date in `Retry-After` of `response`.

    Raises `InvalidResponse` for a document without a valid issuer, and the errors of `json_answer`.
    """
    members = json_answer(response, "WebFinger document", now)
    listed: object = members.get("links")
    # pyright needs the cast, and mypy reports it as redundant
    links: Sequence[Any] = cast("list[Any]", listed) if isinstance(listed, list) else ()  # type: ignore[redundant-cast]
    for link in links:
        known: Mapping[str, Any] = cast("dict[str, Any]", link) if isinstance(link, dict) else {}
        if known.get("rel") == ISSUER_RELATION:
            return _checked(known.get("href"), http_hosts, response.status)
    raise InvalidResponse(
        "webfinger",
        "the WebFinger document of this identifier has no issuer: ask the administrator of its host, or give the "
        "issuer itself",
        status=response.status,
    )


def _checked(href: object, http_hosts: Collection[str], status: int) -> str:
    try:
        if isinstance(href, str) and "?" not in check_endpoint(href, "issuer", http_hosts):
            return href
    except UsageError:
        pass
    raise InvalidResponse(
        "webfinger",
        "the issuer in the WebFinger document is not an https URL without query and fragment (RFC 8414 §2): ask the "
        "administrator of its host to correct it",
        status=status,
    )
