"""The issuers of a multi-tenant server (Microsoft Entra ID's template of the issuer)."""

from typing import Any

import pytest

from doorkey.errors import UsageError
from doorkey.oidc.core import TenantIssuer
from tests.support.id_tokens import LOGIN, accept, claims, refused

TEMPLATE = "https://login.microsoftonline.com/{tenantid}/v2.0"
OURS, THEIRS = "72f988bf-86f1-41af-91ab-2d7cd011db47", "9188040d-6c67-4c5b-b112-36a304b66dad"
POLICY = TenantIssuer(TEMPLATE, [OURS])


def of(tid: Any = OURS, iss: Any = f"https://login.microsoftonline.com/{OURS}/v2.0") -> dict[str, Any]:
    return claims(iss=iss, tid=tid)


def test_a_user_of_a_tenant_of_ours_may_log_in() -> None:
    accept(of(), {**LOGIN, "issuer": POLICY})
    accept(of(), {**LOGIN, "issuer": TenantIssuer(TEMPLATE, None)})


def test_a_user_of_another_tenant_may_not() -> None:
    theirs = of(THEIRS, f"https://login.microsoftonline.com/{THEIRS}/v2.0")
    assert refused(theirs, {**LOGIN, "issuer": POLICY}).claim == "tid"
    accept(theirs, {**LOGIN, "issuer": TenantIssuer(TEMPLATE, None)})


@pytest.mark.parametrize("policy", [POLICY, TenantIssuer(TEMPLATE, None)])
@pytest.mark.parametrize(
    "iss", [f"https://login.microsoftonline.com/{THEIRS}/v2.0", TEMPLATE, f"https://evil.example/{OURS}/v2.0"]
)
def test_iss_is_that_of_the_tenant_that_tid_names(policy: TenantIssuer, iss: str) -> None:
    assert refused(of(iss=iss), {**LOGIN, "issuer": policy}).claim == "iss"


@pytest.mark.parametrize("tid", [None, "", 1, "a/../b", "{tenantid}", ["a"], "a" * 65, "é", "-a", f"{OURS}\n"])
def test_tid_is_the_id_of_a_tenant(tid: Any) -> None:
    policy = TenantIssuer(TEMPLATE, None)
    assert refused(of(tid, TEMPLATE.replace("{tenantid}", str(tid))), {**LOGIN, "issuer": policy}).claim == "tid"


@pytest.mark.parametrize(
    "template",
    [
        "https://as.example/v2.0",
        "https://{tenantid}/v2.0",
        "https://{tenantid}.as.example",
        "https://as.example/{tenantid}/{tenantid}",
        "http://as.example/{tenantid}",
        7,
    ],
)
def test_a_template_has_one_placeholder_in_its_path(template: Any) -> None:
    with pytest.raises(UsageError):
        TenantIssuer(template, None)


@pytest.mark.parametrize("tenants", [[], [""], [7], ["a b"], 7, ["*"]])
def test_tenants_are_ids(tenants: Any) -> None:
    with pytest.raises(UsageError, match="tenants"):
        TenantIssuer(TEMPLATE, tenants)


def test_an_issuer_alone_is_judged_by_its_tenant() -> None:
    assert POLICY.is_issuer(f"https://login.microsoftonline.com/{OURS}/v2.0")
    for other in (
        f"https://login.microsoftonline.com/{THEIRS}/v2.0",
        TEMPLATE,
        "https://login.microsoftonline.com/v2.0",
    ):
        assert not POLICY.is_issuer(other)
    assert not TenantIssuer(TEMPLATE, None).is_issuer("https://login.microsoftonline.com/a/b/v2.0")


def test_the_order_of_tenants_does_not_matter() -> None:
    assert TenantIssuer(TEMPLATE, (OURS, OURS)) == POLICY
