"""Authorization server metadata as a validated value (RFC 8414 §2, OpenID Connect Discovery 1.0 §3).

It describes a server and nothing else: no member of it can set an option of a client.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast
from urllib.parse import urlsplit

from doorkey.arguments import mapping, text
from doorkey.errors import InvalidResponse, UsageError, VerificationError
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
    """Members for reading that can be pickled, which a `MappingProxyType` cannot; a deep copy is a plain dictionary."""

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
    http_hosts: hosts beside loopback that plain http may reach. A session, source or vault replaces them by those of
        its `ExchangePolicy`.

    The value may be pickled, for instance into a cache, and `dataclasses.asdict` makes plain dictionaries of it. Raises
    `UsageError` for an endpoint that `check_endpoint` rejects, and for an https issuer with an http endpoint.
    """

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
        """Return the metadata with the `http_hosts` of a policy. Raises `UsageError` if it names another http host."""
        return self if frozenset(self.http_hosts) == http_hosts_of(http_hosts) else replace(self, http_hosts=http_hosts)

    def replaced(self, endpoints: Mapping[str, Any]) -> ServerMetadata:
        """Return a copy with these `endpoints`, by the names of the fields; one that changes loses its alias."""
        aliases, changed = self._aliases(), {name for name in endpoints if endpoints[name] != getattr(self, name)}
        if not changed & aliases.keys():
            return replace(self, **endpoints)
        kept = {name: url for name, url in aliases.items() if name not in changed}
        extra = _Members({**self.extra, ALIASES: kept}.items())
        return replace(self, **endpoints, extra=extra)

    def for_mutual_tls(self, url: str) -> str:
        """Return where a client that has a certificate sends the requests for the endpoint at `url` (RFC 8705 §5).

        It is the alias of that endpoint in `mtls_endpoint_aliases`, else `url` itself. Raises `InvalidResponse` for an
        alias that cannot be an endpoint of this issuer.
        """
        aliases = self._aliases()
        alias = next((aliases[name] for name in ENDPOINTS if name in aliases and getattr(self, name) == url), url)
        if alias == url:
            return url
        try:
            replace(self, token_endpoint=alias)  # checks it as every endpoint
        except UsageError as error:
            raise InvalidResponse("metadata", f"of {ALIASES}: {error.description}") from None
        return alias

    def is_alias(self, url: str) -> bool:
        """Return whether `url` is one of `mtls_endpoint_aliases`."""
        return url in self._aliases().values()

    def _aliases(self) -> Mapping[str, str]:
        aliases: object = self.extra.get(ALIASES)
        given: Mapping[str, object] = cast("Any", aliases) if isinstance(aliases, Mapping) else {}
        return {name: url for name, url in given.items() if isinstance(url, str)}

    @classmethod
    def from_mapping(cls, members: Mapping[str, Any], http_hosts: Collection[str] = ()) -> ServerMetadata:
        """Return the metadata of a mapping that the user vouches for, for instance a stored discovery document.

        members: those of the document.
        http_hosts: hosts beside loopback that plain http may reach.

        Raises `UsageError` as the constructor does.
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
        """Return the metadata itself, that of a mapping, or none at all, with the `http_hosts` of a policy.

        Raises `UsageError` for anything else, and for an endpoint that these do not allow.
        """
        if isinstance(value, ServerMetadata):
            return value.reached_by(http_hosts)
        given: object = value
        if given is not None and not isinstance(given, Mapping):
            raise UsageError("metadata is a mapping, or what discover(issuer) returned")
        return cls(http_hosts=http_hosts) if value is None else cls.from_mapping(value, http_hosts)


def check_one_issuer(issuer: str | None, metadata: ServerMetadata) -> None:
    """Raise `UsageError` where `issuer` and the metadata that is given beside it are of two authorization servers."""
    if issuer is not None and metadata.issuer is not None and issuer != metadata.issuer:
        given = shown_url(text(issuer, "the issuer"))
        told = f"issuer={given} is not the issuer of metadata=, {shown_url(metadata.issuer)}"
        raise UsageError(f"{told}{how_issuers_differ(metadata.issuer, issuer)}; omit one of them")


def _how_it_differs(named: object, issuer: str) -> str:
    """Return the problem of the issuer that the metadata names."""
    if not isinstance(named, str):
        return "is missing in the metadata"
    told = f"in the metadata is {shown_url(named)}, not the one that was asked for"
    return told + how_issuers_differ(named, issuer)


def parse_metadata(
    members: Mapping[str, Any], issuer: str, status: int | None = None, http_hosts: Collection[str] = ()
) -> ServerMetadata:
    """Return the metadata a server published for `issuer`, compared exactly (RFC 8414 §3.3).

    `http_hosts` are the hosts beside loopback that plain http may reach.

    members: those of the document.
    status: that of its response, for errors.

    Raises `VerificationError` when it is another issuer's, `InvalidResponse` when an endpoint in it is unfit.
    """
    named = members.get("issuer")
    if named != issuer:
        raise VerificationError("issuer", _how_it_differs(named, issuer), expected=shown_url(issuer))
    try:
        return ServerMetadata.from_mapping(members, http_hosts)
    except UsageError as error:
        raise InvalidResponse("metadata", error.description, status=status) from None
