"""Microsoft Entra: one issuer for each tenant, and metadata that names a template for groups of tenants."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from doorkey.errors import UsageError
from doorkey.login.presets.rows import TENANT_GROUPS
from doorkey.oidc.core.issuers import TenantIssuer

TEMPLATE: Final = "https://login.microsoftonline.com/{tenantid}/v2.0"
CONSUMERS: Final = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of personal accounts."""


def entra_options(tenant: str, tenants: Iterable[str] | None = None) -> dict[str, Any]:
    """Return the fields of the preset for `tenant`. `tenants` are the IDs of the tenants whose users may log in."""
    if tenant not in TENANT_GROUPS:
        if tenants is not None:
            raise UsageError(
                'tenants= needs tenant="common" or tenant="organizations": this tenant= is a single directory'
            )
        return {}
    if tenant == "consumers":
        tenants = [CONSUMERS] if tenants is None else tenants
    return {"tenant_issuer": TenantIssuer(TEMPLATE, tenants)}
