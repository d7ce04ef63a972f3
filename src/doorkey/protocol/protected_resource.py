"""The metadata of a protected resource: how a client finds the authorization server of an API (RFC 9728)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import urlsplit, urlunsplit

from doorkey.arguments import mapping, texts
from doorkey.errors import InvalidResponse, UsageError, VerificationError
from doorkey.values import ShownDefaults
from doorkey.wire.messages import Request, Response
from doorkey.wire.responses import json_answer
from doorkey.wire.urls import check_endpoint, shown_url

WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"

_LISTS: Final = ("authorization_servers", "scopes_supported", "bearer_methods_supported")
_KNOWN: Final = frozenset({"resource", *_LISTS, "resource_name", "resource_documentation"})


def well_known_url(resource: str, http_hosts: Iterable[str] = ()) -> str:
    """Return the URL of the metadata of `resource`, with the suffix between host and path (RFC 9728 §3.1).

    http_hosts: hosts beside loopback that plain http may reach.

    Raises `UsageError` for a resource that is not an https URL, or has a fragment.
    """
    parts = urlsplit(check_endpoint(resource, "resource", frozenset(http_hosts)))
    path = "" if parts.path == "/" else parts.path
    return urlunsplit(parts._replace(path=WELL_KNOWN + path))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectedResource:
    """The metadata that an API publishes about itself (RFC 9728 §2).

    resource: the identifier of the API, an https URL; clients request tokens for it (RFC 8707).
    authorization_servers: issuers of the authorization servers whose tokens the API accepts.
    scopes_supported: the scopes that requests to the API need.
    bearer_methods_supported: the places where a request may have its token: `header`, `body`, `query`.
    resource_name, resource_documentation: a name and a URL, for people.
    extra: further members of the document.
    http_hosts: hosts beside loopback that plain http may reach.

    Raises `UsageError` for a resource or an authorization server that is not an https URL, and for a member in `extra`
    that has a parameter here.
    """

    __signature__ = ShownDefaults()

    resource: str
    authorization_servers: tuple[str, ...] = ()
    scopes_supported: tuple[str, ...] = ()
    bearer_methods_supported: tuple[str, ...] = ("header",)
    resource_name: str | None = None
    resource_documentation: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False, hash=False)
    http_hosts: tuple[str, ...] = field(default=(), repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in (*_LISTS, "http_hosts"):
            object.__setattr__(self, name, texts(getattr(self, name), f"{name} of a ProtectedResource"))
        if named := _KNOWN & set(mapping(self.extra, "extra")):
            raise UsageError(f"extra of a ProtectedResource has {min(named)}: give {min(named)}=")
        well_known_url(self.resource, self.http_hosts)
        for server in self.authorization_servers:
            check_endpoint(server, "authorization server of a ProtectedResource", self.http_hosts)

    @property
    def metadata_url(self) -> str:
        """The URL of this document."""
        return well_known_url(self.resource, self.http_hosts)

    def document(self) -> dict[str, Any]:
        """Return the metadata document, without members that are empty (RFC 9728 §3.2)."""
        named: dict[str, Any] = {name: list(getattr(self, name)) for name in _LISTS}
        named |= {"resource_name": self.resource_name, "resource_documentation": self.resource_documentation}
        return {"resource": self.resource, **dict(self.extra), **{name: one for name, one in named.items() if one}}


def protected_resource_request(resource: str, http_hosts: Iterable[str] = ()) -> Request:
    """Return the request for the metadata of `resource` (RFC 9728 §3.1). The errors are those of `well_known_url`."""
    return Request("GET", well_known_url(resource, http_hosts), (("Accept", "application/json"),))


def parse_protected_resource(
    response: Response, resource: str, now: float | None = None, http_hosts: Iterable[str] = ()
) -> ProtectedResource:
    """Return the metadata of `resource` in a response (RFC 9728 §3.3).

    resource: the identifier of the API, which the document must name exactly.
    now: seconds since the epoch, for a date in `Retry-After` of `response`.
    http_hosts: hosts beside loopback that plain http may reach.

    Raises `VerificationError` for the metadata of another resource, `InvalidResponse` for a document with an invalid
    member, and the errors of `json_answer`.
    """
    members = json_answer(response, "protected resource metadata", now)
    if members.get("resource") != resource:
        raise VerificationError("resource", "in the metadata is another resource", expected=shown_url(resource))
    lists = {name: _list(members, name, response.status) for name in _LISTS}
    try:
        return ProtectedResource(
            resource=resource,
            **lists,
            resource_name=_text(members.get("resource_name")),
            resource_documentation=_text(members.get("resource_documentation")),
            extra={name: value for name, value in members.items() if name not in _KNOWN},
            http_hosts=tuple(http_hosts),
        )
    except UsageError as wrong:
        raise InvalidResponse("metadata", wrong.description, status=response.status) from None


def _list(members: Mapping[str, Any], name: str, status: int) -> tuple[str, ...]:
    several: object = members.get(name, [])
    if not isinstance(several, list) or not all(isinstance(one, str) for one in cast("list[object]", several)):
        raise InvalidResponse("metadata", f"{name} in the metadata is not a list of texts", status=status)
    return tuple(cast("list[str]", several))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
