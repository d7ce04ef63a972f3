"""UserInfo: the provider's claims about a user (OpenID Connect Core §5.1, §5.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from doorkey.arguments import mapping
from doorkey.errors import VerificationError
from doorkey.jose.claims import NamedClaims
from doorkey.oidc.core.claim_sources import AggregatedClaims, DistributedClaims, claim_sources


class UserInfo(NamedClaims):
    """The claims about a person, as a UserInfo endpoint or an ID token gives them; `dict(info)` is a copy to change.

    Standard claims are attributes too, None where the provider did not say. Its repr shows no value.

    claims: a mapping of claims.
    more: claims by name.

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
        """Claims of other providers that came with these, unverified (§5.6.2). Raises `VerificationError`."""
        return tuple(source for source in claim_sources(self) if isinstance(source, AggregatedClaims))

    @property
    def distributed(self) -> tuple[DistributedClaims, ...]:
        """Claims that other providers give on request (§5.6.2). Raises `VerificationError`."""
        return tuple(source for source in claim_sources(self) if isinstance(source, DistributedClaims))

    def check_sub(self, sub: str) -> None:
        """Raise `VerificationError` unless these claims are about `sub` of the ID token, exactly (§5.3.2)."""
        if not sub or self.get("sub") != sub:
            raise VerificationError("sub", "is not that of the ID token: these claims are about another user")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)
