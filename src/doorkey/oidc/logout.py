"""Logout that the provider begins: logout tokens, and the parameters of front-channel logout requests.

OpenID Connect Back-Channel Logout 1.0 and Front-Channel Logout 1.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, cast

from doorkey.jose.claim_rules import audiences, check_text
from doorkey.jose.claims import JWTClaims
from doorkey.jose.errors import InvalidClaimError, MissingClaimError
from doorkey.oidc.core.issuers import TenantIssuer
from doorkey.wire.urls import how_issuers_differ

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
_TYPES: Final = frozenset({"jwt", "logout+jwt"})

__all__ = ["FrontChannelLogout", "LogoutToken"]


class LogoutToken(JWTClaims):
    """The claims of a logout token, which ends sessions of a user at this client (Back-Channel Logout 1.0 §2.4).

    payload: the claims.
    header: the header of the token.
    options: conditions for each claim, as for `JWTClaims`.
    params: the expected values: `issuer` (a URL or a `TenantIssuer`) and `client_id`.

    `sub` names the user and `sid` one session of that user; at least one of them is required. `validate` makes all
    checks of §2.6 but one: the caller must accept each `jti` only once.
    """

    __slots__ = ()
    REGISTERED_CLAIMS: ClassVar[tuple[str, ...]] = (*JWTClaims.REGISTERED_CLAIMS, "sid", "events")
    ESSENTIAL_CLAIMS: ClassVar[tuple[str, ...]] = ("iss", "aud", "iat", "exp", "jti", "events")
    PARAMS: ClassVar[tuple[str, ...]] = ("issuer", "client_id")

    def _validate_at(self, now: float, leeway: float) -> None:
        typ: object = self.header.get("typ", "logout+jwt")
        if not isinstance(typ, str) or typ.lower().removeprefix("application/") not in _TYPES:
            raise InvalidClaimError("typ", "belongs to another kind of token", expected="logout+jwt")
        super()._validate_at(now, leeway)
        events: object = self["events"]
        named: Mapping[str, object] = cast("Any", events) if isinstance(events, Mapping) else {}
        if not isinstance(named.get(EVENT), Mapping):
            raise InvalidClaimError("events", "does not contain the logout event", expected=EVENT)
        if "nonce" in self:
            raise InvalidClaimError("nonce", "is not allowed in a logout token: this may be an ID token")
        check_text(self, "sid")
        if "sub" not in self and "sid" not in self:
            raise MissingClaimError("sub", "and sid are both missing: the token ends no session")
        issuer, client_id = self._params.get("issuer"), self._params.get("client_id")
        if isinstance(issuer, TenantIssuer):
            if not issuer.is_issuer(self["iss"]):
                raise InvalidClaimError("iss", "is not the issuer of a tenant whose users may log in here")
        elif issuer is not None and self["iss"] != issuer:
            reason = f"is not the issuer of this client{how_issuers_differ(self['iss'], issuer)}"
            raise InvalidClaimError("iss", reason, expected=str(issuer))
        if client_id is not None and client_id not in audiences(self):
            raise InvalidClaimError("aud", "does not contain this client", expected=str(client_id))


@dataclass(frozen=True, slots=True)
class FrontChannelLogout:
    """The parameters of a front-channel logout request, which ends a session of this browser (§2, §3).

    iss: the issuer, or None.
    sid: the session that ends, or None for the current session of the browser.

    Both are None if the client did not register `frontchannel_logout_session_required`.
    """

    iss: str | None = None
    sid: str | None = None

    @classmethod
    def of(cls, parameters: Mapping[str, Any], issuer: str | TenantIssuer) -> FrontChannelLogout:
        """Return the checked parameters of a request.

        parameters: the query parameters of the request.
        issuer: the issuer of this client.

        Raises `VerificationError` for another issuer, for one of `iss` and `sid` without the other, and for a value
        that is not text.
        """
        iss, sid = parameters.get("iss"), parameters.get("sid")
        for name, value in (("iss", iss), ("sid", sid)):
            if value is not None and not (isinstance(value, str) and value):
                raise InvalidClaimError(name, "is not a text")
        if (iss is None) != (sid is None):
            missing, other = ("sid", "iss") if sid is None else ("iss", "sid")
            raise MissingClaimError(missing, f"is missing, although the request has {other}")
        if iss is not None:
            known = issuer.is_issuer(iss) if isinstance(issuer, TenantIssuer) else iss == issuer
            if not known:
                raise InvalidClaimError("iss", f"is not the issuer of this client{how_issuers_differ(iss, issuer)}")
        return cls(iss, sid)
