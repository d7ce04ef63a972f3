"""Authorization server metadata as a validated value (RFC 8414 §2, OpenID Connect Discovery 1.0 §3).

Metadata describes the server only. No member of it can set an option of a client.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast
from urllib.parse import urlsplit

from doorkey.arguments import mapping, text
from doorkey.errors import InvalidResponse, UsageError, VerificationError
from doorkey.values import ShownDefaults
from doorkey.wire.urls import check_endpoint, how_issuers_differ, http_hosts_of, shown_url

ENDPOINTS: Final = (
    "authorization_endpoint",
    "token_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "userinfo_endpoint",
    "registration_endpoint",
    "end_session_endpoint",
    "device_authorization_endpoint",
    "pushed_authorization_request_endpoint",
    "jwks_uri",
)
ALIASES: Final = "mtls_endpoint_aliases"


class _Members(Mapping[str, Any]):
    """A read-only mapping that can be pickled, unlike a `MappingProxyType`. A deep copy of it is a plain dictionary."""

    __slots__ = ("_members",)

    def __init__(self, members: Iterable[tuple[str, Any]] = ()) -> None:
        self._members = dict(members)

    def __getitem__(self, name: str) -> Any:
        return self._members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __repr__(self) -> str:
        return repr(self._members)

    def __reduce__(self) -> tuple[Any, ...]:
        return _Members, (tuple(self._members.items()),)

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return deepcopy(self._members, memo)


@dataclass(frozen=True, slots=True)
class ServerMetadata:
    """The metadata of an authorization server (RFC 8414 §2).

    issuer: the URL that identifies the server.
    authorization_endpoint, token_endpoint, userinfo_endpoint, end_session_endpoint: URLs of single endpoints.
    revocation_endpoint, introspection_endpoint, device_authorization_endpoint: URLs of single endpoints.
    registration_endpoint, pushed_authorization_request_endpoint, jwks_uri: URLs of single endpoints.
    iss_in_callbacks: the member `authorization_response_iss_parameter_supported`. If it is True, a callback without
        `iss` is rejected (RFC 9207 §3).
    extra: the members that have no field here, unchanged.
    http_hosts: hosts beside loopback that plain http may reach. A session, source or vault replaces them by the hosts
        of its `ExchangePolicy`.

    The metadata can be pickled, for instance for a cache, and `dataclasses.asdict` converts it to plain dictionaries.
    Raises `UsageError` for an invalid URL of an endpoint, for plain http to other hosts, and for an https issuer with
    an http endpoint.
    """

    __signature__ = ShownDefaults()

    issuer: str | None = None
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    revocation_endpoint: str | None = None
    introspection_endpoint: str | None = None
    userinfo_endpoint: str | None = None
    registration_endpoint: str | None = None
    end_session_endpoint: str | None = None
    device_authorization_endpoint: str | None = None
    pushed_authorization_request_endpoint: str | None = None
    jwks_uri: str | None = None
    iss_in_callbacks: bool = False
    extra: Mapping[str, Any] = field(default_factory=_Members, repr=False, compare=False)
    http_hosts: Collection[str] = field(default=(), repr=False, compare=False, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "http_hosts", tuple(sorted(http_hosts_of(self.http_hosts))))
        for name in ("issuer", *ENDPOINTS):
            value: object = getattr(self, name)
            if value is not None:
                check_endpoint(text(value, f"the metadata's {name}"), name, self.http_hosts)
        mapping(self.extra, "extra")
        if self.issuer is not None and urlsplit(self.issuer).scheme == "https":
            plain = [name for name in ENDPOINTS if self._is_plain(getattr(self, name))]
            if plain:
                raise UsageError(f"the metadata of an https issuer names a {plain[0]} that is not https")

    def _is_plain(self, url: str | None) -> bool:
        parts = urlsplit(url or "")
        return parts.scheme == "http" and parts.hostname not in self.http_hosts

    def __deepcopy__(self, memo: dict[int, Any]) -> ServerMetadata:
        return self

    def reached_by(self, http_hosts: Collection[str]) -> ServerMetadata:
        """Return the metadata with other `http_hosts`, those of a policy.

        http_hosts: hosts beside loopback that plain http may reach.

        Raises `UsageError` if an endpoint needs plain http to another host.
        """
        return self if frozenset(self.http_hosts) == http_hosts_of(http_hosts) else replace(self, http_hosts=http_hosts)

    def replaced(self, endpoints: Mapping[str, Any]) -> ServerMetadata:
        """Return a copy with other endpoints. A changed endpoint loses its alias in `mtls_endpoint_aliases`.

        endpoints: names of fields, and their new URLs.

        Raises the errors of the constructor.
        """
        aliases, changed = self._aliases(), {name for name in endpoints if endpoints[name] != getattr(self, name)}
        if not changed & aliases.keys():
            return replace(self, **endpoints)
        kept = {name: url for name, url in aliases.items() if name not in changed}
        extra = _Members({**self.extra, ALIASES: kept}.items())
        return replace(self, **endpoints, extra=extra)

    def for_mutual_tls(self, url: str) -> str:
        """Return the URL to which a client with a certificate sends requests for an endpoint (RFC 8705 §5).

        url: the URL of the endpoint in the metadata.

        The result is the alias of the endpoint in `mtls_endpoint_aliases`, or `url` if there is no alias. Raises
        `InvalidResponse` for an alias that cannot be an endpoint of this issuer.
        """
        aliases = self._aliases()
        alias = next((aliases[name] for name in ENDPOINTS if name in aliases and getattr(self, name) == url), url)
        if alias == url:
            return url
        try:
            replace(self, token_endpoint=alias)  # the constructor checks the alias like any endpoint
        except UsageError as error:
            raise InvalidResponse("metadata", f"of {ALIASES}: {error.description}") from None
        return alias

    def is_alias(self, url: str) -> bool:
        """Return whether `url` is one of the URLs in `mtls_endpoint_aliases`."""
        return url in self._aliases().values()

    def _aliases(self) -> Mapping[str, str]:
        aliases: object = self.extra.get(ALIASES)
        given: Mapping[str, object] = cast("Any", aliases) if isinstance(aliases, Mapping) else {}
        return {name: url for name, url in given.items() if isinstance(url, str)}

    @classmethod
    def from_mapping(cls, members: Mapping[str, Any], http_hosts: Collection[str] = ()) -> ServerMetadata:
        """Return the metadata in a mapping that the program trusts, for instance a stored discovery document.

        members: the members of the document.
        http_hosts: hosts beside loopback that plain http may reach.

        Raises the errors of the constructor.
        """
        mapping(members, "metadata")
        known: dict[str, str | None] = {name: members.get(name) for name in ("issuer", *ENDPOINTS)}
        return cls(
            **known,
            iss_in_callbacks=members.get("authorization_response_iss_parameter_supported") is True,
            extra=_Members((k, v) for k, v in members.items() if k not in known),
            http_hosts=http_hosts,
        )

    @classmethod
    def of(cls, value: ServerMetadata | Mapping[str, Any] | None, http_hosts: Collection[str] = ()) -> ServerMetadata:
        """Return `value` as metadata with the `http_hosts` of a policy.

        value: metadata, a mapping, or None for empty metadata.
        http_hosts: hosts beside loopback that plain http may reach.

        Raises `UsageError` for another type, and for an endpoint that `http_hosts` do not allow.
        """
        if isinstance(value, ServerMetadata):
            return value.reached_by(http_hosts)
        given: object = value
        if given is not None and not isinstance(given, Mapping):
            raise UsageError("metadata must be a mapping, or the result of discover(issuer)")
        return cls(http_hosts=http_hosts) if value is None else cls.from_mapping(value, http_hosts)


def check_one_issuer(issuer: str | None, metadata: ServerMetadata) -> None:
    """Raise `UsageError` if `issuer` and `metadata` name different authorization servers. None matches any issuer."""
    if issuer is not None and metadata.issuer is not None and issuer != metadata.issuer:
        given = shown_url(text(issuer, "the issuer"))
        reason = f"issuer={given} is not the issuer of metadata=, {shown_url(metadata.issuer)}"
        raise UsageError(f"{reason}{how_issuers_differ(metadata.issuer, issuer)}; omit one of them")


def _issuer_problem(named: object, issuer: str) -> str:
    """Return how the issuer in the metadata, `named`, differs from the requested `issuer`, as text for an error."""
    if not isinstance(named, str):
        return "is missing in the metadata"
    problem = f"in the metadata is {shown_url(named)}, not the requested one"
    return problem + how_issuers_differ(named, issuer)


def parse_metadata(
    members: Mapping[str, Any], issuer: str, status: int | None = None, http_hosts: Collection[str] = ()
) -> ServerMetadata:
    """Return the metadata that a server published for `issuer` (RFC 8414 §3.3).

    members: the members of the document.
    issuer: the issuer, which the document must name exactly.
    status: the HTTP status of the response, for errors; or None.
    http_hosts: hosts beside loopback that plain http may reach.

    Raises `VerificationError` for the metadata of another issuer, and `InvalidResponse` for an invalid endpoint in it.
    """
    named = members.get("issuer")
    if named != issuer:
        raise VerificationError("issuer", _issuer_problem(named, issuer), expected=shown_url(issuer))
    try:
        return ServerMetadata.from_mapping(members, http_hosts)
    except UsageError as error:
        raise InvalidResponse("metadata", error.description, status=status) from None
