"""The values of an authorization server: the settings of a realm, and the records that it keeps between requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from doorkey.arguments import count, each, flag, instance
from doorkey.errors import UsageError
from doorkey.server.checks import check_claims, check_known, check_optional, names
from doorkey.server.option_names import options_checked
from doorkey.server.registrations import SIGNING_ALGS, Client, TrustedIssuer
from doorkey.values import ShownDefaults


@options_checked("Settings")
@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a realm. Times are in seconds.

    access_token_lifetime: seconds for which an access token is valid.
    session_idle: seconds after the login or the last refresh after which a session ends.
    session_max: seconds after the login after which a session ends, even if it is used.
    code_lifetime: seconds for which an authorization code is valid.
    login_lifetime: seconds that a user has to complete the login page.
    rotate_refresh_tokens: True: a refresh token works once, and a second use ends the grant (RFC 9700 §4.14.2). False:
        it works until the session ends. None: it works once for public clients only (OAuth 2.1 §4.3.1).
    failed_logins: number of wrong passwords in a row that block an account. After half of them, each further failure
        causes a delay, which doubles each time. One address may fail ten times as often.
    login_block: seconds for which an account is blocked.
    clock_skew: seconds by which the clock of a client that authenticates by a signed assertion may differ.
    signing_alg: the signature algorithm of tokens.
    key_ids: whether keys and tokens have a `kid`.
    rfc9068: whether access tokens have the form of RFC 9068, instead of Keycloak's form.
    acr_values: the authentication contexts that a login can reach on request. A login without a supported request
        reaches the first one.
    audience: a further audience of every access token that is not lightweight.
    access_token_claims: further claims of every access token that is not lightweight.
    trusted_issuers: issuers of assertions that a client may exchange for a token of a user (RFC 7523 §2.1).
    device_code_lifetime: seconds for which a device may poll (RFC 8628 §3.2).
    device_interval: seconds between two polls of a device.
    """

    __signature__ = ShownDefaults()

    access_token_lifetime: int = 60
    session_idle: int = 1800
    session_max: int = 36000
    code_lifetime: int = 60
    login_lifetime: int = 1800
    rotate_refresh_tokens: bool | None = None
    failed_logins: int = 10
    login_block: int = 900
    clock_skew: int = 10
    signing_alg: str = "RS256"
    key_ids: bool = True
    rfc9068: bool = False
    acr_values: tuple[str, ...] = ("1",)
    audience: str | None = None
    access_token_claims: Mapping[str, Any] = field(default_factory=dict[str, Any])
    trusted_issuers: tuple[TrustedIssuer, ...] = ()
    device_code_lifetime: int = 600
    device_interval: int = 5

    def __post_init__(self) -> None:
        times = (
            "access_token_lifetime",
            "session_idle",
            "session_max",
            "code_lifetime",
            "login_lifetime",
            "clock_skew",
            "login_block",
            "device_code_lifetime",
        )
        for name in times:
            count(getattr(self, name), f"{name} in seconds", least=0)
        if self.rotate_refresh_tokens is not None:
            instance(self.rotate_refresh_tokens, bool, "rotate_refresh_tokens must be True, False or None")
        count(self.failed_logins, "failed_logins", least=1)
        count(self.device_interval, "device_interval in seconds", least=1)
        check_known(self.signing_alg, SIGNING_ALGS, "signing algorithm")
        flag(self.key_ids, "key_ids")
        flag(self.rfc9068, "rfc9068")
        object.__setattr__(self, "acr_values", names(self.acr_values, "acr_values"))
        if not self.acr_values:
            raise UsageError("acr_values is empty: name at least one authentication context, which every login needs")
        check_optional(self.audience, "audience")
        check_claims(self.access_token_claims, "access_token_claims")
        trusted = each(self.trusted_issuers, TrustedIssuer, "trusted_issuers are TrustedIssuer values")
        object.__setattr__(self, "trusted_issuers", trusted)

    def rotates(self, client: Client) -> bool:
        """Return whether a refresh token of `client` works only once."""
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
    """A user who is logged in, and the grants that end with the session. Times are POSIX seconds.

    `acr` is the authentication context that the login reached (OpenID Connect Core §2).
    """

    id: str
    sub: str
    started_at: float
    seen_at: float
    grants: tuple[Grant, ...] = ()
    acr: str = "1"

    def grant(self, grant_id: object) -> Grant | None:
        """Return the grant whose ID is `grant_id`, or None."""
        return next((grant for grant in self.grants if grant.id == grant_id), None)

    def expires_at(self, settings: Settings) -> float:
        """Return the POSIX seconds at which the session ends unless it is used again."""
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
    response_type: tuple[str, ...] = ("code",)
    acr_values: tuple[str, ...] = ()
    asks_consent: bool = False
    """Whether the consent page is shown even if the client needs no consent or already has it (`prompt=consent`)."""

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> Self:
        """Return the request from its `members`, as they were stored as JSON."""
        lists: dict[str, Any] = {
            name: tuple(members[name]) for name in ("scope", "response_type", "acr_values") if name in members
        }
        known: dict[str, Any] = {**members, **lists}
        return cls(**known)


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """A login or a consent in progress.

    `request` is the authorization request, or None for a login to the account page or for a device. `browser` is the
    SHA-256 of a cookie of the browser. `device` is the user code and the client ID of the device for which the user
    logs in, or None. `expires_at` is POSIX seconds.
    """

    id: str
    request: AuthorizationRequest | None
    browser: str
    expires_at: float
    device: tuple[str, str] | None = None

    @property
    def client_id(self) -> str | None:
        """The ID of the client that requested the login, or None for a login to the account page."""
        if self.device is not None:
            return self.device[1]
        return None if self.request is None else self.request.client_id


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLogin:
    """A login on another device (RFC 8628). `id` is the SHA-256 of its device code; times are POSIX seconds.

    `state` is "pending", "denied", "allowed" or "used". A poll before `next_poll` is too early. `interval` is the
    polling interval in seconds. An allowed login has a grant in a session.
    """

    id: str
    user_code: str
    client_id: str
    scope: tuple[str, ...]
    expires_at: float
    interval: int
    next_poll: float = 0.0
    state: str = "pending"
    session_id: str | None = None
    grant_id: str | None = None

    @property
    def is_pending(self) -> bool:
        """Whether the user has neither allowed nor denied the login yet."""
        return self.state == "pending"


@dataclass(frozen=True, slots=True)
class Consent:
    """The consent of a user to a client, given at `given_at` (POSIX seconds)."""

    client_id: str
    scope: tuple[str, ...]
    given_at: float


@dataclass(frozen=True, slots=True)
class Attempts:
    """Failed attempts in a row. The next attempt is allowed at `again_at` (POSIX seconds)."""

    failures: int
    again_at: float


@dataclass(frozen=True, slots=True)
class Code:
    """The record of an authorization code. It is kept after the code has been used, so that a replay is detected."""

    request: AuthorizationRequest
    session_id: str
    grant_id: str
    used: bool = False
