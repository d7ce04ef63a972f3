"""A validator of JWT access tokens (RFC 9068)."""

from __future__ import annotations

from typing import Any

from doorkey.resource.validators.bearer import BearerTokenValidator, Scopes
from doorkey.resource.verifier import AccessTokenVerifier
from doorkey.sources.issuer import Issuer


class JWTBearerTokenValidator(BearerTokenValidator):
    """Checks JWT access tokens of an issuer, by their signature and the claims of RFC 9068 §2.2.

    issuer: the URL of the issuer, or an `Issuer`.
    resource_server: the name of this API, which the claim `aud` must contain.
    realm, extra_attributes: as for `BearerTokenValidator`.

    The keys are those that the issuer publishes, unless a subclass defines `get_jwks`. The token object has the claims.
    """

    def __init__(
        self, issuer: str | Issuer, resource_server: str, realm: str | None = None, **extra_attributes: str
    ) -> None:
        super().__init__(realm, **extra_attributes)
        self.issuer, self.resource_server = issuer, resource_server
        self._made: tuple[object, AccessTokenVerifier] | None = None

    def get_jwks(self) -> Any:
        """Return the keys of the issuer, as for `jwt.decode`, or None for the keys that the issuer publishes.

        A subclass that overrides it must return the same object until the keys change.
        """
        return None

    def authenticate_token(self, token_string: str) -> Any:
        """Verify an access token, and return its claims.

        token_string: the access token.

        Raises `InvalidAccessToken`, or the error for which the token could not be checked.
        """
        return self._verifier_for(self.get_jwks()).verify(token_string).claims

    def validate_token(
        self,
        token: Any,
        scopes: Scopes,
        request: Any,
        groups: Scopes = None,
        roles: Scopes = None,
        entitlements: Scopes = None,
    ) -> None:
        """Raise `InsufficientScopeError` unless the token has one of the alternatives of each requirement.

        token: the result of `authenticate_token`.
        scopes, groups, roles, entitlements: the alternatives for the claims `scope`, `groups`, `roles` and
            `entitlements`, as for `scope_insufficient` (RFC 9068 §2.2.3).
        request: the request.
        """
        self._check_scopes(token.get("scope"), scopes)
        for name, wanted in (("groups", groups), ("roles", roles), ("entitlements", entitlements)):
            self._check_scopes(token.get(name), wanted, name)

    def _verifier_for(self, jwks: object) -> AccessTokenVerifier:
        """Return the verifier with these keys. If two threads create one at the same time, either may be used."""
        made = self._made
        if made is None or made[0] is not jwks:
            made = self._made = jwks, AccessTokenVerifier(self._issuer_with(jwks), audience=self.resource_server)
        return made[1]

    def _issuer_with(self, jwks: object) -> str | Issuer:
        if jwks is None:
            return self.issuer
        named = self.issuer.issuer if isinstance(self.issuer, Issuer) else self.issuer
        return Issuer(named, keys=jwks)
