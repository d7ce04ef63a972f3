"""From an issuer to its metadata, by both well-known forms (RFC 8414 §3, OpenID Connect Discovery 1.0 §4)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from doorkey.errors import InvalidResponse, UsageError
from doorkey.protocol.http_caching import Kept, Lifetime
from doorkey.protocol.metadata import ServerMetadata, parse_metadata
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request
from doorkey.wire.responses import json_answer
from doorkey.wire.urls import WELL_KNOWN, check_endpoint

OPENID: Final = "/.well-known/openid-configuration"
OAUTH: Final = "/.well-known/oauth-authorization-server"

LIFETIME: Final = Lifetime(least=60.0, usual=3600.0, most=86_400.0, stale=7 * 86_400.0)
"""Bounds of the use of metadata, in seconds: an hour, unless its HTTP caching headers say otherwise."""

_NOT_HERE: Final = frozenset({404, 405, 410})


def well_known_urls(issuer: str, http_hosts: Collection[str] = ()) -> tuple[str, ...]:
    """Return where the metadata of `issuer` may be, most likely first.

    `http_hosts` are the hosts beside loopback that plain http may reach. OpenID Connect appends its suffix to the
    issuer; RFC 8414 §3.1 puts its own between host and path. Raises `UsageError` for an issuer with a query, and for
    one that is no URL.
    """
    check_endpoint(issuer, "issuer", http_hosts)
    parts = urlsplit(issuer)
    if parts.query:
        raise UsageError("an issuer has no query (RFC 8414 §2)")
    path = parts.path.rstrip("/")
    paths = dict.fromkeys((path + OPENID, OAUTH + path, OPENID + path))
    return tuple(urlunsplit(parts._replace(path=one)) for one in paths)


def issuer_of_document(url: str, http_hosts: Collection[str] = ()) -> str:
    """Return the issuer whose metadata is at the well-known `url`, without a slash at its end.

    The reverse of `well_known_urls`, which removes such a slash. Raises `UsageError` for another URL.
    """
    parts = urlsplit(check_endpoint(url, "server_metadata_url", http_hosts))
    if parts.path.endswith(OPENID):
        path = parts.path.removesuffix(OPENID)
    elif parts.path.startswith(OAUTH) and not parts.query:
        path = parts.path.removeprefix(OAUTH)
    else:
        raise UsageError(f"server_metadata_url ends with {OPENID}: for another place, give the issuer= or metadata=")
    return urlunsplit(parts._replace(path=path, query=""))


def discover_flow(issuer: str, now: float | None = None, http_hosts: Collection[str] = ()) -> Flow[ServerMetadata]:
    """Fetch the metadata of `issuer`, which must name exactly that issuer.

    With `now`, in seconds since the epoch, a date in a `Retry-After` is understood. `http_hosts` are the hosts beside
    loopback that plain http may reach.

    A form that the server does not have (404, 405, 410) leads to the next; anything else that is wrong is raised:
    `UsageError`, `TransportError`, `InvalidResponse`, `ServerError`, or `VerificationError` for another issuer's.
    """
    return (yield from kept_metadata(issuer, now, http_hosts)).value


def kept_metadata(
    issuer: str,
    now: float | None = None,
    http_hosts: Collection[str] = (),
    lifetime: Lifetime = LIFETIME,
    *,
    url: str | None = None,
    known_as: Mapping[str, str] = MappingProxyType({}),
) -> Flow[Kept[ServerMetadata]]:
    """Fetch the metadata of `issuer` as `discover_flow` does, with the time until which it may be used.

    url: where it is, in place of the well-known places.
    known_as: other names that it may have in its metadata, and the issuer that each of them stands for.
    now: seconds since the epoch.
    http_hosts: hosts beside loopback that plain http may reach.
    lifetime: seconds for which a document may be kept.

    Raises as `discover_flow` does.
    """
    for place in (url,) if url is not None else well_known_urls(issuer, http_hosts):
        response = yield from Request("GET", place, (("Accept", "application/json"),))
        if response.status not in _NOT_HERE:
            members = json_answer(response, "metadata", now)
            named: object = members.get("issuer")
            if isinstance(named, str) and named in known_as:
                issuer = known_as[named]
                members = {**members, "issuer": issuer}
            found = parse_metadata(members, issuer, response.status, http_hosts)
            return lifetime.keep(found, response, now or 0.0)
    if url is None and WELL_KNOWN in issuer:
        advice = f"give the issuer without its {WELL_KNOWN} suffix"
    else:
        advice = "is the issuer spelled exactly, with its path?"
    raise InvalidResponse("not_found", f"no metadata at any well-known place of this issuer: {advice}", status=404)
