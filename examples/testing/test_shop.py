"""Tests of the shop: a login, the API, and what happens when the provider fails."""

from collections.abc import Mapping
from typing import Any

import pytest
from shop import create_app

from doorkey.testing import LocalIssuer, Provider, client


@pytest.fixture
def doorkey_provider_options() -> Mapping[str, Any]:
    """Register the shop at the provider of each test."""
    return {"clients": [client("shop", "its-secret", redirect_uris=["http://localhost/auth/callback"])]}


def test_alice_logs_in(doorkey_provider: Provider) -> None:
    browser = create_app(doorkey_provider.issuer).test_client()
    begun = browser.get("/auth/login")
    browser.get(doorkey_provider.log_in(begun.location, "alice"))
    assert browser.get("/").text == "Hello Alice Example"


def test_a_login_while_the_provider_is_down_is_not_an_error_of_the_shop(doorkey_provider: Provider) -> None:
    doorkey_provider.faults.add("/.well-known/openid-configuration", status=503)
    browser = create_app(doorkey_provider.issuer).test_client()
    assert browser.get("/auth/login").status_code == 503


@pytest.mark.parametrize(
    ("token", "status"),
    [
        ({"audience": "shop-api", "scopes": "orders:read"}, 200),
        ({"audience": "shop-api"}, 403),
        ({"audience": "another-api", "scopes": "orders:read"}, 401),
        ({"audience": "shop-api", "scopes": "orders:read", "expires_in": -120}, 401),
    ],
)
def test_the_api_accepts_only_the_right_token(
    doorkey_issuer: LocalIssuer, token: Mapping[str, Any], status: int
) -> None:
    api = create_app(doorkey_issuer).test_client()
    headers = {"Authorization": "Bearer " + doorkey_issuer.token("alice", **token)}
    assert api.get("/api/orders", headers=headers).status_code == status
