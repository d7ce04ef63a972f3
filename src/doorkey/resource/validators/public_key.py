"""A validator of JWTs with a public key and the program's own options for claims (RFC 7523, examples of Auth0)."""

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
"""A JWT that names its client, and has no claims of an ID token or a logout token."""

_MISSING: Final = "is missing in claims_options: a token {what} would be accepted"


class JWTBearerToken(JWTClaims):
    """The claims of a token, with the methods of a token object."""

    __slots__ = ()

    def get_scope(self) -> Any:
        """Return the claim `scope`."""
        return self.get("scope")

    def get_expires_in(self) -> Any:
        """Return the lifetime in seconds, from `iat` to `exp`."""
        return self["exp"] - self["iat"]

    def is_expired(self) -> bool:
        """Return False, because the validator accepts no expired token."""
        return False

    def is_revoked(self) -> bool:
        """Return False, because a JWT does not show whether it has been revoked."""
        return False


class JWTBearerTokenValidator(BearerTokenValidator):
    """Checks JWT access tokens with a key of the program, and with options for their claims.

    public_key: the key or key set, as for `jwt.decode`. Secrets are rejected.
    issuer: the required claim `iss`; None: `claims_options` must have the values of `iss`.
    leeway: the seconds by which two clocks may differ.
    realm, extra_attributes: as for `BearerTokenValidator`.

    The attribute `claims_options` has the rules for claims, as for `jwt.decode`. It must have the values of `iss` and
    `aud`. The claims are the token object. `AccessTokenVerifier` follows rotations of the keys, but this validator does
    not.
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
        """Verify an access token, and return its claims.

        token_string: the access token.

        Raises `InvalidTokenError`, or `UsageError` if `claims_options` has no value for `iss` or `aud`.
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
