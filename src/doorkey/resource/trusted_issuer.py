"""The issuers whose access tokens an API accepts, and the client with which it introspects tokens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from doorkey.arguments import flag, instance, seconds, texts
from doorkey.credentials import AuthMethods, Credentials
from doorkey.errors import UsageError
from doorkey.jose.algorithms import ASYMMETRIC, algorithm_named
from doorkey.jose.keys import import_own_keys
from doorkey.oidc.core.issuers import TenantIssuer
from doorkey.protocol.metadata import ServerMetadata
from doorkey.protocol.token_profiles import TokenProfile, profile_named
from doorkey.sources.fetched_once.described_server import DescribedServer
from doorkey.sources.fetched_once.keys import KeyCore
from doorkey.sources.issuer import Issuer
from doorkey.sources.issuer_core import IssuerCore


@dataclass(frozen=True, slots=True, kw_only=True)
class IntrospectionClient:
    """The client with which an API introspects tokens at the authorization server (RFC 7662).

    client_id, client_secret: the credentials of the API; the secret may be a private key for private_key_jwt.
    auth_methods: client authentication methods, most preferred first; empty means the methods that suit the secret.
    endpoint: the URL of the introspection endpoint; None takes it from the issuer's metadata.
    opaque: introspect tokens that are not JWTs.
    jwts: also introspect JWTs instead of checking their signature here, so that revoked tokens are rejected.
    signed: request a signed response (RFC 9701), and reject an unsigned one.
    decryption_keys: the private keys of the API, for signed responses that are encrypted to it (RFC 9701 §5).
    audience_required: reject a token if the response has no audience.
    cache_for: seconds for which a response is cached. A token that is revoked meanwhile is still accepted for that
        time. 0 turns the cache off.

    Raises `UsageError` for invalid or conflicting arguments.
    """

    client_id: str
    client_secret: Any = field(default=None, repr=False)
    auth_methods: AuthMethods = ()
    endpoint: str | None = None
    opaque: bool = True
    jwts: bool = False
    signed: bool = False
    decryption_keys: Any = field(default=None, repr=False)
    audience_required: bool = True
    cache_for: float = 30.0

    def __post_init__(self) -> None:
        client = Credentials(self.client_id, self.client_secret, auth_methods=self.auth_methods)
        object.__setattr__(self, "client_secret", client.client_secret)  # a Secret, whose repr hides the value
        object.__setattr__(self, "auth_methods", client.auth_methods)
        object.__setattr__(self, "cache_for", seconds(self.cache_for, "cache_for"))
        if self.decryption_keys is not None:
            if not self.signed:
                raise UsageError("decryption_keys= are for signed responses: give signed=True too")
            object.__setattr__(self, "decryption_keys", import_own_keys(self.decryption_keys))
        for name in ("opaque", "jwts", "signed", "audience_required"):
            flag(getattr(self, name), name)
        if not (self.opaque or self.jwts):
            raise UsageError("IntrospectionClient(opaque=False, jwts=False) introspects no token: give jwts=True")


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """An issuer whose access tokens an API accepts.

    issuer: the URL of the issuer, or a `doorkey.Issuer`.
    audience: the names of this API at that issuer. The audience of a token must contain one of them (RFC 9068 §4).
    profile: the profile of the issuer's JWTs: "rfc9068", "keycloak", "entra", "auth0", or a `TokenProfile`.
    algorithms: the accepted signature algorithms; None: all asymmetric algorithms.
    introspection: the client for introspection at this issuer; None: opaque tokens are rejected.
    tenant_issuer: the policy for the issuers of a multi-tenant server. `issuer` is then the issuer of the server's
        common metadata, for instance ``https://login.microsoftonline.com/common/v2.0``.

    Raises `UsageError` for invalid arguments.
    """

    issuer: str | Issuer
    audience: str | Iterable[str] = field(kw_only=True)
    profile: str | TokenProfile = field(default="rfc9068", kw_only=True)
    algorithms: str | Iterable[str] | None = field(default=None, kw_only=True)
    introspection: IntrospectionClient | None = field(default=None, kw_only=True)
    tenant_issuer: TenantIssuer | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.issuer, Issuer):
            instance(self.issuer, str, "the issuer is its URL, or an Issuer")
        audience = texts(self.audience, "audience")
        if not audience or "" in audience:
            raise UsageError("audience= is missing: a token for another API would be accepted (RFC 9068 §4)")
        algorithms = ASYMMETRIC if self.algorithms is None else texts(self.algorithms, "algorithms")
        for name in algorithms:
            if algorithm_named(name).kty == "oct":
                raise UsageError(f"{name} needs a secret, which an issuer cannot publish: give RS256, ES256, …")
        if not algorithms:
            raise UsageError("algorithms= is empty: no token would be accepted")
        if self.introspection is not None:
            instance(self.introspection, IntrospectionClient, "introspection must be an IntrospectionClient")
        if self.tenant_issuer is not None:
            instance(self.tenant_issuer, TenantIssuer, "tenant_issuer must be a TenantIssuer")
            instance(self.issuer, str, "with tenant_issuer=, issuer is the URL of the multi-tenant server")
        object.__setattr__(self, "audience", audience)
        object.__setattr__(self, "algorithms", algorithms)
        object.__setattr__(self, "profile", profile_named(self.profile))


def issuer_for(trusted: TrustedIssuer, **options: Any) -> Issuer:
    """Return the `Issuer` of `trusted`, with its metadata and keys. `options` apply if it is created here."""
    if isinstance(trusted.issuer, Issuer):
        return trusted.issuer
    made = Issuer(trusted.issuer, **options)
    if trusted.tenant_issuer is not None:
        known, template = ServerMetadata(http_hosts=made._server.http_hosts), trusted.tenant_issuer.template
        server = DescribedServer(made.issuer, known, template=template)
        made._core = IssuerCore(server, KeyCore(server))
    return made
