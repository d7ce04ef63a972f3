"""The registrations of an authorization server: its clients, its users, and the issuers that it trusts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from doorkey.arguments import count, flag, nonempty_text
from doorkey.errors import UsageError
from doorkey.jose.algorithms import ASYMMETRIC
from doorkey.server.checks import (
    check_added_claims,
    check_jwks,
    check_known,
    check_optional,
    check_secret,
    check_texts,
    is_parsable,
    names,
)
from doorkey.server.option_names import options_checked
from doorkey.values import Secret, ShownDefaults
from doorkey.wire.urls import check_endpoint

NONE = "none"
CLIENT_SECRET_BASIC = "client_secret_basic"  # the name of a method
CLIENT_SECRET_POST = "client_secret_post"
CLIENT_SECRET_JWT = "client_secret_jwt"
PRIVATE_KEY_JWT = "private_key_jwt"

AUTHORIZATION_CODE = "authorization_code"
REFRESH_TOKEN = "refresh_token"
PASSWORD = "password"
CLIENT_CREDENTIALS = "client_credentials"

SIGNING_ALGS = ("RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA")
"""The algorithms for which a realm can have its own keys."""
SECRET_ALGS = ("HS256", "HS384", "HS512")
"""The algorithms whose key is the secret of the client that receives the token."""

METHODS = (CLIENT_SECRET_BASIC, CLIENT_SECRET_POST, CLIENT_SECRET_JWT, PRIVATE_KEY_JWT, NONE)
WITH_A_SECRET = (CLIENT_SECRET_BASIC, CLIENT_SECRET_POST)
RESPONSE_TYPES = ("code", "id_token", "id_token token", "code id_token", "code token", "code id_token token")
"""Every response type of OpenID Connect (OIDC Core §3, OAuth 2.0 Multiple Response Types §5)."""

DEFAULT_GRANTS = frozenset({AUTHORIZATION_CODE, REFRESH_TOKEN, PASSWORD, CLIENT_CREDENTIALS})
"""The default grants of a client. Grants by which it acts for an absent user are not among them."""


ENCRYPTION_ALGS = ("RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW")
ENCRYPTION_ENCS = ("A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "A128GCM", "A192GCM", "A256GCM")
DEFAULT_ENC = ENCRYPTION_ENCS[0]  # OpenID Connect Registration §2

_URI = re.compile(r"[\x21-\x7e]+")
_SEVERAL = (
    *("auth_methods", "auth_algorithms", "response_types", "redirect_uris", "post_logout_redirect_uris", "web_origins"),
    *("default_scopes", "optional_scopes"),
)


@options_checked("a client")
@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A registered client (RFC 7591 §2, OpenID Connect Registration §2).

    client_id: its ID.
    client_name: the name that users see, with the ID.
    secret: its secret; None for a public client, and for a client that authenticates with a key.
    auth_methods: its authentication methods; a client with `none` among them is public.
    auth_algorithms: the algorithms accepted for its assertions; empty: every supported algorithm.
    jwks: its public keys, as a JWK Set: for `private_key_jwt` and for encryption to the client.
    grants: the grant types that it may use.
    response_types: the response types that it may request.
    redirect_uris: its redirect URIs. They are compared exactly, with two exceptions for an `http` loopback address: any
        port matches (RFC 8252 §7.3), and a path ending in `/*` matches any path below it.
    post_logout_redirect_uris: the URIs to which a logout may redirect, compared in the same way.
    web_origins: the origins whose scripts may use its tokens (CORS); `*` is any.
    default_scopes: the scopes that are always granted.
    optional_scopes: the scopes that are granted on request.
    audiences: for each scope, the resource server that it adds to the audience of an access token.
    require_pkce: whether it must send a code challenge.
    require_consent: whether each user must consent to the scopes that it requests; the consent is stored.
    lightweight: whether its access tokens contain no claims about the user.
    access_token_claims, id_token_claims, userinfo_claims: further claims for this client.
    id_token_signed_response_alg: defaults to the realm's algorithm; HS256, HS384 and HS512 sign with the secret.
    id_token_encrypted_response_alg, id_token_encrypted_response_enc: encrypt its ID tokens to a key of `jwks`.
    userinfo_signed_response_alg: the algorithm that signs its userinfo responses; None: they are not signed.
    userinfo_encrypted_response_alg, userinfo_encrypted_response_enc: encrypt its userinfo responses.
    introspection_signed_response_alg: signs the introspection responses that it requests as JWTs (RFC 9701 §6);
        defaults to the realm's algorithm.
    backchannel_logout_uri: the URI to which a logout token is posted when a session with a grant of the client ends.
    frontchannel_logout_uri: the URI that the logout page loads in a frame.
    frontchannel_logout_session_required: whether `iss` and `sid` are added to this URI.

    Raises `UsageError` for an invalid value.
    """

    __signature__ = ShownDefaults()

    client_id: str
    client_name: str | None = None
    secret: Secret | None = None
    auth_methods: tuple[str, ...] = WITH_A_SECRET
    auth_algorithms: tuple[str, ...] = ()
    jwks: Mapping[str, Any] | None = None
    grants: frozenset[str] = DEFAULT_GRANTS
    response_types: tuple[str, ...] = ("code",)
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    web_origins: tuple[str, ...] = ()
    default_scopes: tuple[str, ...] = ("profile", "email")
    optional_scopes: tuple[str, ...] = ("openid", "offline_access", "address", "phone")
    audiences: Mapping[str, str] = field(default_factory=dict[str, str])
    require_pkce: bool = False
    require_consent: bool = False
    lightweight: bool = False
    access_token_claims: Mapping[str, Any] = field(default_factory=dict[str, Any])
    id_token_claims: Mapping[str, Any] = field(default_factory=dict[str, Any])
    userinfo_claims: Mapping[str, Any] = field(default_factory=dict[str, Any])
    id_token_signed_response_alg: str | None = None
    id_token_encrypted_response_alg: str | None = None
    id_token_encrypted_response_enc: str | None = None
    userinfo_signed_response_alg: str | None = None
    userinfo_encrypted_response_alg: str | None = None
    userinfo_encrypted_response_enc: str | None = None
    introspection_signed_response_alg: str | None = None
    backchannel_logout_uri: str | None = None
    frontchannel_logout_uri: str | None = None
    frontchannel_logout_session_required: bool = True

    def __post_init__(self) -> None:
        nonempty_text(self.client_id, "client_id")
        check_optional(self.client_name, "client_name")
        check_secret(self.secret, "the secret of a client")
        for name in _SEVERAL:
            object.__setattr__(self, name, names(getattr(self, name), name))
        for name in ("redirect_uris", "post_logout_redirect_uris"):
            _check_uris(getattr(self, name), name)
        for name in ("backchannel_logout_uri", "frontchannel_logout_uri"):
            if getattr(self, name) is not None:
                _check_uris((check_endpoint(getattr(self, name), name),), name)
        object.__setattr__(self, "grants", frozenset(names(self.grants, "grants")))
        for method in self.auth_methods:
            check_known(method, METHODS, "method of client authentication")
        types = tuple(" ".join(sorted(one.split())) for one in self.response_types)
        for one in types:
            check_known(one, RESPONSE_TYPES, "response type")
        object.__setattr__(self, "response_types", types)
        if self.jwks is not None:
            check_jwks(self.jwks, "jwks")
        check_texts(self.audiences, "audiences", "by scope")
        for name in ("require_pkce", "require_consent", "lightweight", "frontchannel_logout_session_required"):
            flag(getattr(self, name), name)
        check_added_claims(self)
        self._check_algorithms()

    def _check_algorithms(self) -> None:
        for alg in self.response_algs:
            if alg is not None:
                check_known(alg, (*SIGNING_ALGS, *SECRET_ALGS), "signature algorithm")
            if alg in SECRET_ALGS and self.secret is None:
                raise UsageError(f"{alg} signs with the client's secret, and this client has none")
        for what in ("id_token", "userinfo"):
            alg, enc = (getattr(self, f"{what}_encrypted_response_{part}") for part in ("alg", "enc"))
            if alg is not None:
                check_known(alg, ENCRYPTION_ALGS, "key management algorithm")
            elif enc is not None:
                raise UsageError(f"{what}_encrypted_response_enc needs {what}_encrypted_response_alg")
            if enc is not None:
                check_known(enc, ENCRYPTION_ENCS, "content encryption algorithm")
            if alg is not None and self.jwks is None:
                raise UsageError(f"{what}_encrypted_response_alg needs jwks=, which contains the encryption key")

    @property
    def response_algs(self) -> tuple[str | None, ...]:
        """The signature algorithms that are registered for ID tokens and other responses to this client."""
        return (
            self.id_token_signed_response_alg,
            self.userinfo_signed_response_alg,
            self.introspection_signed_response_alg,
        )

    @property
    def is_public(self) -> bool:
        """Whether the client cannot keep a secret (RFC 6749 §2.1)."""
        return NONE in self.auth_methods


@options_checked("a user")
@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person who can log in. `sub` never changes and is never reused (OpenID Connect Core §2).

    sub: the subject, by which clients identify the user.
    username: the name with which the user logs in.
    password: the password; None: the user cannot log in with a password.
    email, given_name, family_name: claims about the user (OpenID Connect Core §5.1), or None.
    roles: the roles of the user, which access tokens contain as `realm_access` (Keycloak's claim).
    links: the subjects of the user at trusted issuers, by issuer.
    access_token_claims, id_token_claims, userinfo_claims: further claims about the user.

    Raises `UsageError` for an invalid value.
    """

    __signature__ = ShownDefaults()

    sub: str
    username: str
    password: Secret | None = None
    email: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    roles: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict[str, str])
    access_token_claims: Mapping[str, Any] = field(default_factory=dict[str, Any])
    id_token_claims: Mapping[str, Any] = field(default_factory=dict[str, Any])
    userinfo_claims: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        nonempty_text(self.sub, "sub")
        nonempty_text(self.username, "username")
        check_secret(self.password, "the password of a user")
        for name in ("email", "given_name", "family_name"):
            check_optional(getattr(self, name), name)
        object.__setattr__(self, "roles", names(self.roles, "roles"))
        check_texts(self.links, "links", "by trusted issuer")
        check_added_claims(self)


@options_checked("a trusted issuer")
@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedIssuer:
    """An issuer whose signed assertions about users are accepted as a grant (RFC 7523 §2.1).

    issuer: the `iss` of its assertions.
    jwks: the JWK Set of its public keys.
    algorithms: the accepted signature algorithms.
    max_age: seconds after its `iat` for which an assertion is accepted. Without `iat`, seconds that its `exp` may lie
        in the future.

    Raises `UsageError` for an invalid value.
    """

    issuer: str
    jwks: Mapping[str, Any]
    algorithms: tuple[str, ...] = ASYMMETRIC
    max_age: int = 300

    def __post_init__(self) -> None:
        nonempty_text(self.issuer, "the name of a trusted issuer")
        check_jwks(self.jwks, "jwks")
        object.__setattr__(self, "algorithms", names(self.algorithms, "algorithms"))
        count(self.max_age, "max_age in seconds", least=0)


def _check_uris(uris: tuple[str, ...], what: str) -> None:
    if not all(_URI.fullmatch(uri) for uri in uris):
        raise UsageError(f"{what} contains a character that a URI cannot contain: percent-encode it (RFC 3986 §2)")
    if not all(is_parsable(uri) for uri in uris):
        raise UsageError(f"{what} contains a URI with an invalid host: write only an IPv6 address in brackets")
