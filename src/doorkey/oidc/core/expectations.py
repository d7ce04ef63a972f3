"""The expected claims of the ID token of one login, from the session and its transaction."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from doorkey.jose.claim_rules import LEEWAY
from doorkey.jose.errors import InvalidClaimError
from doorkey.jose.verification import VerifiedToken
from doorkey.oidc.core.id_token import CodeIDToken, HybridIDToken, IDToken, ImplicitIDToken
from doorkey.oidc.core.issuers import TenantIssuer
from doorkey.values import Secret

_FRONT_CHANNEL: Final[dict[frozenset[str], type[IDToken]]] = {
    frozenset(response_type.split()): kind
    for kind in (ImplicitIDToken, HybridIDToken)
    for response_type in kind.RESPONSE_TYPES
    if "id_token" in response_type.split()
}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ExpectedIDToken:
    """The expected values of an ID token (OpenID Connect Core §3.1.3.7, §3.2.2.11, §3.3.2.12).

    issuer: the exact issuer, or the `TenantIssuer` of a multi-tenant server.
    client_id: the client that the token is for.
    nonce: the nonce of the authorization request; None: it had no nonce, and the token must not have one.
    any_nonce: True if the caller compares the nonce, for instance that of a renewed token with the original one.
    response_type: the response type of a front-channel token; None for a token of the token endpoint.
    access_token, code, state: the values that came with the token, for `at_hash`, `c_hash`, `s_hash`; None: no check.
    max_age: the requested `max_age` in seconds; None: no check.
    acr_values: the requested authentication context classes, of which the token must have one; empty: no check.
    trusted_audiences: further audiences that the token may have.
    leeway: seconds by which the clocks of the server and of this machine may differ.
    """

    issuer: str | TenantIssuer
    client_id: str
    nonce: Secret | None = None
    any_nonce: bool = False
    response_type: str | None = None
    access_token: Secret | None = None
    code: Secret | None = None
    state: Secret | None = None
    max_age: float | None = None
    acr_values: tuple[str, ...] = ()
    trusted_audiences: Collection[str] = field(default=())
    leeway: float = LEEWAY

    @property
    def kind(self) -> type[IDToken]:
        """The class of the claims, which determines the required hashes."""
        if self.response_type is None:
            return CodeIDToken
        return _FRONT_CHANNEL.get(frozenset(self.response_type.split()), HybridIDToken)

    def checked(self, token: VerifiedToken, now: float) -> IDToken:
        """Return the checked claims of `token`, whose signature the caller has verified.

        now: seconds since the epoch.

        Raises `VerificationError` for the first claim that differs from the expectation.
        """
        given = {
            "issuer": self.issuer,
            "client_id": self.client_id,
            "nonce": self.nonce,
            "access_token": self.access_token,
            "code": self.code,
            "state": self.state,
            "max_age": self.max_age,
            "acr_values": self.acr_values or None,
            "trusted_audiences": tuple(self.trusted_audiences) or None,
        }
        params = {name: value for name, value in given.items() if value is not None}
        claims = self.kind(token.claims, token.header, None, params)
        claims.validate(now, self.leeway)
        if self.nonce is None and not self.any_nonce and "nonce" in claims:
            raise InvalidClaimError(
                "nonce",
                "is in the ID token, but the nonce of the login was not given: give its transaction= or nonce=",
            )
        return claims
