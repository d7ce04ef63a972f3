"""UserInfo: the provider's claims about a user (OpenID Connect Core §5.1, §5.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from doorkey.arguments import mapping
from doorkey.errors import VerificationError
from doorkey.jose.claims import NamedClaims
from doorkey.oidc.core.claim_sources import AggregatedClaims, DistributedClaims, claim_sources


class UserInfo(NamedClaims):
    """The claims about a user from a UserInfo endpoint or an ID token. They are read-only; change a copy, `dict(info)`.

    Standard claims are attributes too, and None if they are absent. The repr shows no value.

    claims: a mapping of claims.
    more: further claims, by name.

    Raises `UsageError` for anything but a mapping.
    """

    __slots__ = ()
    REGISTERED_CLAIMS: ClassVar[tuple[str, ...]] = (
        *("sub", "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username"),
        *("profile", "picture", "website", "email", "email_verified", "gender", "birthdate", "zoneinfo", "locale"),
        *("phone_number", "phone_number_verified", "address", "updated_at"),
    )

    def __init__(self, claims: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        super().__init__({} if claims is None else mapping(claims, "the claims of a UserInfo"), **more)

    @property
    def aggregated(self) -> tuple[AggregatedClaims, ...]:
        """Unverified claims of other providers that came with these (§5.6.2).

        Raises `VerificationError` for malformed `_claim_names` or `_claim_sources`.
        """
        return tuple(source for source in claim_sources(self) if isinstance(source, AggregatedClaims))

    @property
    def distributed(self) -> tuple[DistributedClaims, ...]:
        """Claims to fetch from other providers (§5.6.2). Raises `VerificationError` as `aggregated` does."""
        return tuple(source for source in claim_sources(self) if isinstance(source, DistributedClaims))

    def check_sub(self, sub: str) -> None:
        """Raise `VerificationError` unless these claims are about exactly the `sub` of the ID token (§5.3.2)."""
        if not sub or self.get("sub") != sub:
            raise VerificationError("sub", "is not that of the ID token: these claims are about another user")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)
