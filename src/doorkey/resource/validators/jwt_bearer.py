"""A validator of JWT access tokens (RFC 9068)."""

from __future__ import annotations

from typing import Any

from doorkey.resource.validators.bearer import BearerTokenValidator, Scopes
from doorkey.resource.verifier import AccessTokenVerifier
from doorkey.sources.issuer import Issuer


class JWTBearerTokenValidator(BearerTokenValidator):
    """Checks JWT access tokens of an issuer, by its signature and the claims of RFC 9068 §2.2.

    issuer: the URL of the issuer, or an `Issuer`.
    resource_server: the name of this API, which the claim `aud` contains.
    realm, extra_attributes: as for every validator.

    The keys are those that the issuer publishes, unless a subclass defines `get_jwks`. The token object has the claims.
    """

    def __init__(
        self, issuer: str | Issuer, resource_server: str, realm: str | None = None, **extra_attributes: str
    ) -> None:
        super().__init__(realm, **extra_attributes)
        self.issuer, self.resource_server = issuer, resource_server
        self._made: tuple[object, AccessTokenVerifier] | None = None

    def get_jwks(self) -> Any:
        """Return the keys of the issuer as `jwt.decode` takes them, or None for those that the issuer publishes.

        A subclass that defines it returns the same object until the keys change.
        """
        return None

    def authenticate_token(self, token_string: str) -> Any:
        """Return the claims of a token that is valid now. Raises `InvalidAccessToken`, or why it cannot be checked."""
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

        scopes, groups, roles, entitlements: alternatives for the claim of that name (RFC 9068 §2.2.3).
        """
        self._check_scopes(token.get("scope"), scopes)
        for name, wanted in (("groups", groups), ("roles", roles), ("entitlements", entitlements)):
            self._check_scopes(token.get(name), wanted, name)

    def _verifier_for(self, jwks: object) -> AccessTokenVerifier:
        """Return the verifier with these keys. Two threads that need a new one each make one, which does no harm."""
        made = self._made
        if made is None or made[0] is not jwks:
            made = self._made = jwks, AccessTokenVerifier(self._issuer_with(jwks), audience=self.resource_server)
        return made[1]

    def _issuer_with(self, jwks: object) -> str | Issuer:
        if jwks is None:
            return self.issuer
        named = self.issuer.issuer if isinstance(self.issuer, Issuer) else self.issuer
        return Issuer(named, keys=jwks)
