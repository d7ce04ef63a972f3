"""A multi-tenant server: one metadata document, an issuer for each tenant, and the tenants that the API accepts."""

from typing import Any

import pytest

from doorkey import Issuer, UsageError
from doorkey.errors import VerificationError
from doorkey.jose.signing import sign
from doorkey.oidc.core import TenantIssuer
from doorkey.resource import InvalidAccessToken, RequestRejected, TrustedIssuer
from tests.support.fake_clock import START
from tests.support.resource_server import API, KEY, Api, Apis, Server, claims, page

HOST = "https://login.example"
TEMPLATE, COMMON = f"{HOST}/{{tenantid}}/v2.0", f"{HOST}/common/v2.0"
OURS, THEIRS = "9188040d-6c67-4c5b-b112-36a304b66dad", "72f988bf-86f1-41af-91ab-2d7cd011db47"


def token(tenant: str = OURS, tid: object = None, **more: Any) -> str:
    theirs: dict[str, Any] = {
        "tid": tid or tenant,
        "azp": "app",
        "scp": "Orders.Read",
        "nbf": int(START),
        "scope": None,
    }
    issued = claims(f"{HOST}/{tenant}/v2.0", **{**theirs, **more})
    return sign(issued, KEY, alg="ES256", header={"kid": "1", "typ": "JWT"})


@pytest.fixture
def login() -> Server:
    server = Server(HOST)
    metadata = {"issuer": TEMPLATE, "token_endpoint": f"{HOST}/common/token", "jwks_uri": f"{HOST}/jwks_uri"}
    server.instead["/common/v2.0/.well-known/openid-configuration"] = lambda _: page(metadata)
    return server


def make(apis: Apis, login: Server, tenants: Any) -> Api:
    policy = TenantIssuer(TEMPLATE, tenants)
    return apis(TrustedIssuer(COMMON, audience=API, profile="entra", tenant_issuer=policy), servers=(login,))


def test_the_issuer_of_a_token_is_that_of_its_tenant(apis: Apis, login: Server) -> None:
    for tenants in (None, [OURS]):
        found = make(apis, login, tenants).verify(token(), scopes="Orders.Read")
        assert (found.issuer, found.claims["tid"]) == (f"{HOST}/{OURS}/v2.0", OURS)


def test_a_tenant_that_is_not_listed_causes_no_request(apis: Apis, login: Server) -> None:
    with pytest.raises(InvalidAccessToken) as caught:
        make(apis, login, [OURS]).verify(token(THEIRS))
    assert caught.value.claim == "iss"
    assert login.requests == []
    assert make(apis, login, None).verify(token(THEIRS)).issuer == f"{HOST}/{THEIRS}/v2.0"


def test_the_tenant_and_the_issuer_of_a_token_agree(apis: Apis, login: Server) -> None:
    for tid in (THEIRS, " ", 5, ["x"]):
        with pytest.raises(InvalidAccessToken):
            make(apis, login, None).verify(token(tid=tid))


@pytest.mark.parametrize("tenant", ["../evil", "a/b", "", "%2e", "a" * 80])
def test_an_issuer_that_is_no_tenant_is_rejected(apis: Apis, login: Server, tenant: str) -> None:
    with pytest.raises(InvalidAccessToken):
        make(apis, login, None).verify(token(tenant or " "))
    assert login.requests == []


def test_metadata_that_names_another_issuer_is_not_the_fault_of_the_token(apis: Apis, login: Server) -> None:
    other = {"issuer": f"{HOST}/{{tenantid}}/v9", "jwks_uri": f"{HOST}/jwks_uri"}
    login.instead["/common/v2.0/.well-known/openid-configuration"] = lambda _: page(other)
    with pytest.raises(VerificationError) as caught:
        make(apis, login, None).verify(token())
    assert not isinstance(caught.value, RequestRejected)


def test_the_policy_is_for_the_url_of_a_server() -> None:
    wrong: list[dict[str, Any]] = [
        {"issuer": Issuer(COMMON), "tenant_issuer": TenantIssuer(TEMPLATE, None)},
        {"issuer": COMMON, "tenant_issuer": TEMPLATE},
    ]
    for options in wrong:
        with pytest.raises(UsageError):
            TrustedIssuer(audience=API, **options)
