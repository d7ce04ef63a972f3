"""Fetches the metadata of an issuer from its well-known URLs (RFC 8414 §3, OpenID Connect Discovery 1.0 §4)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from doorkey.errors import InvalidResponse, UsageError
from doorkey.protocol.http_caching import CacheEntry, Lifetime
from doorkey.protocol.metadata import ServerMetadata, parse_metadata
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request
from doorkey.wire.responses import json_answer
from doorkey.wire.urls import WELL_KNOWN, check_endpoint

OPENID: Final = "/.well-known/openid-configuration"
OAUTH: Final = "/.well-known/oauth-authorization-server"

LIFETIME: Final = Lifetime(least=60.0, default=3600.0, most=86_400.0, stale=7 * 86_400.0)
"""How long metadata is cached, in seconds: an hour, or a minute to a day if its HTTP caching headers require it."""

_NOT_FOUND: Final = frozenset({404, 405, 410})


def well_known_urls(issuer: str, http_hosts: Collection[str] = ()) -> tuple[str, ...]:
    """Return the URLs at which the metadata of `issuer` may be, most likely first.

    http_hosts: hosts beside loopback that plain http may reach.

    OpenID Connect appends its suffix to the issuer. RFC 8414 §3.1 inserts its suffix between host and path. Raises
    `UsageError` for an issuer with a query, and for an invalid URL.
    """
    check_endpoint(issuer, "issuer", http_hosts)
    parts = urlsplit(issuer)
    if parts.query:
        raise UsageError("an issuer has no query (RFC 8414 §2)")
    path = parts.path.rstrip("/")
    paths = dict.fromkeys((path + OPENID, OAUTH + path, OPENID + path))
    return tuple(urlunsplit(parts._replace(path=one)) for one in paths)


def issuer_of_document(url: str, http_hosts: Collection[str] = ()) -> str:
    """Return the issuer whose metadata is at the well-known `url`. The result has no slash at its end.

    http_hosts: hosts beside loopback that plain http may reach.

    This is the reverse of `well_known_urls`, which removes such a slash. Raises `UsageError` for another URL.
    """
    parts = urlsplit(check_endpoint(url, "server_metadata_url", http_hosts))
    if parts.path.endswith(OPENID):
        path = parts.path.removesuffix(OPENID)
    elif parts.path.startswith(OAUTH) and not parts.query:
        path = parts.path.removeprefix(OAUTH)
    else:
        raise UsageError(f"server_metadata_url must end with {OPENID}: for another URL, give issuer= or metadata=")
    return urlunsplit(parts._replace(path=path, query=""))


def fetch_metadata(
    issuer: str,
    now: float | None = None,
    http_hosts: Collection[str] = (),
    lifetime: Lifetime = LIFETIME,
    *,
    url: str | None = None,
    known_as: Mapping[str, str] = MappingProxyType({}),
) -> Flow[CacheEntry[ServerMetadata]]:
    """Fetch the metadata of `issuer`, and return it with the times of its use. It must name exactly that issuer.

    now: seconds since the epoch, to read dates in the response.
    http_hosts: hosts beside loopback that plain http may reach.
    lifetime: the bounds of the time for which the document is cached.
    url: the URL of the document; None: the well-known URLs.
    known_as: accepted aliases of issuers in the metadata, each mapped to the issuer to use in its place.

    If the server has no document at a URL (404, 405, 410), the next well-known URL is tried. Raises `UsageError`,
    `TransportError`, `InvalidResponse` and `ServerError`, and `VerificationError` for the metadata of another issuer.
    """
    for place in (url,) if url is not None else well_known_urls(issuer, http_hosts):
        response = yield from Request("GET", place, (("Accept", "application/json"),))
        if response.status not in _NOT_FOUND:
            members = json_answer(response, "metadata", now)
            named: object = members.get("issuer")
            if isinstance(named, str) and named in known_as:
                issuer = known_as[named]
                members = {**members, "issuer": issuer}
            found = parse_metadata(members, issuer, response.status, http_hosts)
            return lifetime.entry(found, response, now or 0.0)
    if url is None and WELL_KNOWN in issuer:
        advice = f"give the issuer without its {WELL_KNOWN} suffix"
    else:
        advice = "is the issuer spelled exactly, with its path?"
    raise InvalidResponse("not_found", f"no metadata at any well-known URL of this issuer: {advice}", status=404)
