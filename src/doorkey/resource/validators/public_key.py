"""A validator of JWTs by a public key and the program's own options for claims (RFC 7523 tokens, Auth0's examples)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from doorkey.arguments import mapping, seconds
from doorkey.errors import UsageError, VerificationError
from doorkey.jose.algorithms import ASYMMETRIC
from doorkey.jose.claim_rules import LEEWAY, MAX_LEEWAY
from doorkey.jose.claims import JWTClaims
from doorkey.jose.json_web_token import JsonWebToken
from doorkey.protocol.access_token import check_binding, check_kind
from doorkey.protocol.token_profiles import JWT, TokenProfile
from doorkey.resource.validators.bearer import BearerTokenValidator

_PROFILE: Final = TokenProfile(
    name="JWT",
    types=(JWT, "at+jwt"),
    required_any=(("client_id", "azp"),),
    forbidden=("events", "nonce", "at_hash", "c_hash", "s_hash"),
)
"""A JWT that names its client and is no ID token, as far as claims tell."""

_MISSING: Final = "is missing in claims_options: a token {what} would be accepted"


class JWTBearerToken(JWTClaims):
    """The claims of a token, with the methods of a token object."""

    __slots__ = ()

    def get_scope(self) -> Any:
        """Return the claim `scope`."""
        return self.get("scope")

    def get_expires_in(self) -> Any:
        """Return the lifetime in seconds."""
        return self["exp"] - self["iat"]

    def is_expired(self) -> bool:
        """Return False: the validator accepts no expired token."""
        return False

    def is_revoked(self) -> bool:
        """Return False: a JWT does not say whether it has been revoked."""
        return False


class JWTBearerTokenValidator(BearerTokenValidator):
    """Checks JWT access tokens by a key of the program, and by options for their claims, which are the token object.

    public_key: the key, or a key set, as `jwt.decode` takes it; secrets are not accepted.
    issuer: the claim `iss` of the tokens.
    leeway: seconds by which two clocks may differ.
    realm, extra_attributes: as for every validator.

    `claims_options` of the instance says more about claims, as for `jwt.decode`. It must name the values of `iss` and
    `aud`. `AccessTokenVerifier` follows rotations of the keys, which this validator does not.
    """

    def __init__(
        self,
        public_key: object,
        issuer: str | None = None,
        realm: str | None = None,
        leeway: float = LEEWAY,
        **extra_attributes: str,
    ) -> None:
        super().__init__(realm, **extra_attributes)
        self.public_key = public_key
        self.leeway = seconds(leeway, "leeway", most=MAX_LEEWAY)
        self.claims_options: Mapping[str, Mapping[str, Any]] = {
            "exp": {"essential": True},
            **({} if issuer is None else {"iss": {"essential": True, "value": issuer}}),
        }

    def authenticate_token(self, token_string: str) -> JWTBearerToken:
        """Return the claims of a token that is valid now.

        Raises `InvalidTokenError`, or `UsageError` if `claims_options` names no issuer or no audience.
        """
        options = mapping(self.claims_options, "claims_options")
        for name, what in (("iss", "of any issuer"), ("aud", "for any API")):
            rule = mapping(options.get(name, {}), f"claims_options[{name!r}]")
            if not (rule.get("value") or rule.get("values") or rule.get("validate")):
                raise UsageError(name + " " + _MISSING.format(what=what))
        try:
            claims = JsonWebToken(ASYMMETRIC).decode(token_string, self.public_key, JWTBearerToken, options)
            claims.validate(time.time(), self.leeway)
            check_kind(claims.header, claims, _PROFILE)
            check_binding(claims)
        except VerificationError as wrong:
            raise self._invalid_token(wrong.description) from None
        return claims
