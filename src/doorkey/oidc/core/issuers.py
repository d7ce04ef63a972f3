"""The issuers of a multi-tenant server, which has one metadata document and an issuer for each tenant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from doorkey.arguments import text, texts
from doorkey.errors import UsageError
from doorkey.jose.errors import InvalidClaimError
from doorkey.wire.urls import check_endpoint, shown_url

PLACEHOLDER: Final = "{tenantid}"
_TENANT: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class TenantIssuer:
    """The issuers of a multi-tenant server with a template as the issuer in its metadata, such as Microsoft Entra ID.

    template: the issuer of the metadata, for instance ``https://login.microsoftonline.com/{tenantid}/v2.0``.
    tenants: the IDs of the tenants whose users may log in; None: every tenant of the server.

    An ID token is accepted if its `iss` is the template with the value of its claim `tid`, and `tid` is one of
    `tenants`. As with any issuer, the pair of `iss` and `sub` identifies a user. Raises `UsageError` for a template
    without exactly one ``{tenantid}`` in its path, and for an invalid tenant ID.
    """

    template: str
    tenants: Iterable[str] | None

    def __post_init__(self) -> None:
        template = text(self.template, "the template of an issuer")
        if template.count(PLACEHOLDER) != 1 or PLACEHOLDER not in template.partition("://")[2].partition("/")[2]:
            raise UsageError(f"the template of an issuer must have {PLACEHOLDER} exactly once, in its path")
        check_endpoint(template.replace(PLACEHOLDER, "tenant"), "issuer")
        if self.tenants is not None:
            tenants = texts(self.tenants, "tenants")
            if not tenants or not all(_TENANT.fullmatch(tenant) for tenant in tenants):
                raise UsageError("tenants must be a list of tenant IDs, or None for every tenant of the server")
            object.__setattr__(self, "tenants", frozenset(tenants))

    def issuer_of(self, tenant: str) -> str:
        """Return the issuer of the tenant with the ID `tenant`."""
        return self.template.replace(PLACEHOLDER, tenant)

    def check(self, claims: Mapping[str, Any]) -> None:
        """Raise `VerificationError` unless `claims` have the issuer of their tenant, and its users may log in."""
        tenant = claims.get("tid")
        if not isinstance(tenant, str) or not _TENANT.fullmatch(tenant):
            raise InvalidClaimError("tid", "is missing or not a tenant ID")
        if claims.get("iss") != self.issuer_of(tenant):
            raise InvalidClaimError(
                "iss", "is not the issuer of the tenant that tid names", expected=shown_url(self.issuer_of(tenant))
            )
        if self.tenants is not None and tenant not in self.tenants:
            raise InvalidClaimError("tid", "is a tenant whose users may not log in here")

    def is_issuer(self, issuer: str) -> bool:
        """Return whether `issuer` is the issuer of a tenant whose users may log in."""
        before, _, after = self.template.partition(PLACEHOLDER)
        if not issuer.startswith(before) or not issuer.endswith(after):
            return False
        tenant = issuer[len(before) : len(issuer) - len(after)]
        return bool(_TENANT.fullmatch(tenant)) and (self.tenants is None or tenant in self.tenants)
