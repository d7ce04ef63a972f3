"""The values of an authorization server: clients, users, settings, and the records it keeps between requests."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from doorkey.arguments import count, did_you_mean, each, encodable, instance, mapping, named, text, texts
from doorkey.errors import UsageError
from doorkey.jose.algorithms import ASYMMETRIC
from doorkey.values import Secret

NONE = "none"
CLIENT_SECRET_BASIC = "client_secret_basic"  # the name of a method
CLIENT_SECRET_POST = "client_secret_post"
CLIENT_SECRET_JWT = "client_secret_jwt"
PRIVATE_KEY_JWT = "private_key_jwt"

AUTHORIZATION_CODE = "authorization_code"
REFRESH_TOKEN = "refresh_token"
PASSWORD = "password"
CLIENT_CREDENTIALS = "client_credentials"

METHODS = (CLIENT_SECRET_BASIC, CLIENT_SECRET_POST, CLIENT_SECRET_JWT, PRIVATE_KEY_JWT, NONE)
WITH_A_SECRET = (CLIENT_SECRET_BASIC, CLIENT_SECRET_POST)
USUAL_GRANTS = frozenset({AUTHORIZATION_CODE, REFRESH_TOKEN, PASSWORD, CLIENT_CREDENTIALS})
"""The default grants of a client; not those by which it acts for users who are absent."""


_URI = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A registered client (RFC 7591 §2).

    `auth_methods` are the ways it may authenticate; a client with `none` among them is public.
    `redirect_uris` are compared exactly, except that the port of an `http` loopback address is free (RFC 8252
    §7.3), and that a path ending in `/*` stands for any path below it on loopback. `post_logout_redirect_uris` are
    compared exactly, without exception. `optional_scopes` are
    granted when asked for; `audiences` are the resource servers that a scope adds to the audience. Access tokens
    name the `web_origins` whose scripts may use them; those of a `lightweight` client hold no claims about the user.

    Raises `UsageError` for a value of the wrong type, as the other registrations do.
    """

    client_id: str
    secret: Secret | None = None
    auth_methods: tuple[str, ...] = WITH_A_SECRET
    auth_algorithms: tuple[str, ...] = ()
    jwks: Mapping[str, Any] | None = None
    grants: frozenset[str] = USUAL_GRANTS
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    web_origins: tuple[str, ...] = ()
    default_scopes: tuple[str, ...] = ("profile", "email")
    optional_scopes: tuple[str, ...] = ("openid", "offline_access", "address", "phone")
    audiences: Mapping[str, str] = field(default_factory=dict[str, str])
    require_pkce: bool = False
    lightweight: bool = False

    def __post_init__(self) -> None:
        named(self.client_id, "client_id")
        _check_secret(self.secret, "the secret of a client")
        several = (
            "auth_methods",
            "auth_algorithms",
            "redirect_uris",
            "post_logout_redirect_uris",
            "web_origins",
            "default_scopes",
            "optional_scopes",
        )
        for name in several:
            object.__setattr__(self, name, _names(getattr(self, name), name))
        for name in ("redirect_uris", "post_logout_redirect_uris"):
            if not all(_URI.fullmatch(uri) for uri in getattr(self, name)):
                raise UsageError(f"{name} contain a character that a URI cannot hold: percent-encode it (RFC 3986 §2)")
        object.__setattr__(self, "grants", frozenset(_names(self.grants, "grants")))
        for method in self.auth_methods:
            if method not in METHODS:
                known = f"; there are {', '.join(METHODS)}"
                raise UsageError(
                    f"no method of client authentication is {method!r}{did_you_mean(method, METHODS, known)}"
                )
        if self.jwks is not None:
            mapping(self.jwks, "jwks")
        _check_texts(self.audiences, "audiences", "by scope")
        for name in ("require_pkce", "lightweight"):
            instance(getattr(self, name), bool, f"{name} is True or False")

    @property
    def is_public(self) -> bool:
        """Whether the client cannot keep a secret (RFC 6749 §2.1)."""
        return NONE in self.auth_methods


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person who can log in. `sub` never changes and is never reused (OpenID Connect Core §2).

    A user without a password cannot log in by one. `links` are the user's subjects at trusted issuers, by issuer.
    """

    sub: str
    username: str
    password: Secret | None = None
    email: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    roles: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        named(self.sub, "sub")
        named(self.username, "username")
        _check_secret(self.password, "the password of a user")
        for name in ("email", "given_name", "family_name"):
            _check_optional(getattr(self, name), name)
        object.__setattr__(self, "roles", _names(self.roles, "roles"))
        _check_texts(self.links, "links", "by trusted issuer")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedIssuer:
    """An issuer whose signed assertions about users are accepted as a grant (RFC 7523 §2.1).

    `jwks` is the JWK Set of its public keys; the algorithms are those of the keys, or `algorithms` if given.
    An assertion is accepted for at most `max_age` seconds after it was issued.
    """

    issuer: str
    jwks: Mapping[str, Any]
    algorithms: tuple[str, ...] = ASYMMETRIC
    max_age: int = 300

    def __post_init__(self) -> None:
        named(self.issuer, "the name of a trusted issuer")
        mapping(self.jwks, "jwks")
        object.__setattr__(self, "algorithms", _names(self.algorithms, "algorithms"))
        count(self.max_age, "max_age in seconds", least=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a realm. Times are in seconds.

    A refresh token that rotates works once, and a second use ends the grant (RFC 9700 §4.14.2). `rotate_refresh_tokens`
    is True for all clients, False for none, and None for public clients only (OAuth 2.1 §4.3.1). After half of
    `failed_logins` wrong passwords in a row for one account, each further attempt has to wait, longer each time; after
    all of them the account is blocked for `login_block`. One address may fail ten times as often.
    Every access token that is not lightweight has `audience` in its audience, and `access_token_claims`.
    `trusted_issuers` are the issuers of assertions by which a client may get a token for a user.
    """

    access_token_lifetime: int = 60
    session_idle: int = 1800
    session_max: int = 36000
    code_lifetime: int = 60
    login_lifetime: int = 1800
    rotate_refresh_tokens: bool | None = None
    failed_logins: int = 10
    login_block: int = 900
    clock_skew: int = 10
    audience: str | None = None
    access_token_claims: Mapping[str, Any] = field(default_factory=dict[str, Any])
    trusted_issuers: tuple[TrustedIssuer, ...] = ()

    def __post_init__(self) -> None:
        times = (
            "access_token_lifetime",
            "session_idle",
            "session_max",
            "code_lifetime",
            "login_lifetime",
            "clock_skew",
            "login_block",
        )
        for name in times:
            count(getattr(self, name), f"{name} in seconds", least=0)
        if self.rotate_refresh_tokens is not None:
            instance(self.rotate_refresh_tokens, bool, "rotate_refresh_tokens is True, False or None")
        count(self.failed_logins, "failed_logins", least=1)
        _check_optional(self.audience, "audience")
        try:
            claims = dict(mapping(self.access_token_claims, "access_token_claims"))
            json.dumps(claims, allow_nan=False, ensure_ascii=False).encode()
        except (TypeError, ValueError, RecursionError):
            raise UsageError("access_token_claims must be JSON values: texts, numbers, lists, dictionaries") from None
        trusted = each(self.trusted_issuers, TrustedIssuer, "trusted_issuers are TrustedIssuer values")
        object.__setattr__(self, "trusted_issuers", trusted)

    def rotates(self, client: Client) -> bool:
        """Return whether the refresh tokens of `client` work once."""
        return client.is_public if self.rotate_refresh_tokens is None else self.rotate_refresh_tokens


@dataclass(frozen=True, slots=True)
class Grant:
    """The grant of one client in a session; `refresh_id` is the `jti` of its latest refresh token."""

    id: str
    client_id: str
    scope: tuple[str, ...]
    nonce: str | None = None
    refresh_id: str | None = None
    by_login_page: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """A user who is logged in, and the grants that end with the session. Times are POSIX seconds."""

    id: str
    sub: str
    started_at: float
    seen_at: float
    grants: tuple[Grant, ...] = ()

    def grant(self, grant_id: object) -> Grant | None:
        """Return the grant called `grant_id`, or None."""
        return next((grant for grant in self.grants if grant.id == grant_id), None)

    def expires_at(self, settings: Settings) -> float:
        """Return when the session ends if it is not used any more."""
        return min(self.seen_at + settings.session_idle, self.started_at + settings.session_max)


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A valid authorization request (RFC 6749 §4.1.1)."""

    client_id: str
    redirect_uri: str
    scope: tuple[str, ...]
    redirect_uri_was_sent: bool = True
    state: str | None = None
    nonce: str | None = None
    code_challenge: str | None = None
    response_mode: str = "query"


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """An authorization request whose user is logging in; `browser` is the SHA-256 of the browser's cookie."""

    id: str
    request: AuthorizationRequest
    browser: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class Attempts:
    """Failed attempts in a row; the next one is allowed at `again_at` (POSIX seconds)."""

    failures: int
    again_at: float


@dataclass(frozen=True, slots=True)
class Code:
    """What an authorization code stands for. It is kept after its use, so that a replay is recognized."""

    request: AuthorizationRequest
    session_id: str
    grant_id: str
    used: bool = False


def _names(value: object, what: str) -> tuple[str, ...]:
    return tuple(named(one, f"each of {what}") for one in texts(value, what))


def _check_secret(value: object, what: str) -> None:
    if value is not None and not encodable(instance(value, Secret, f"{what} is a doorkey.values.Secret").reveal()):
        raise UsageError(f"{what} has a lone surrogate, which cannot be encoded")


def _check_optional(value: object, what: str) -> None:
    if value is not None and not encodable(text(value, what)):
        raise UsageError(f"{what} has a lone surrogate, which cannot be encoded")


def _check_texts(value: object, what: str, by: str) -> None:
    for key, one in mapping(value, what).items():
        named(key, f"what {what} are named by")
        named(one, f"each of {what}, {by},")
