"""Advisories about logins of browsers: the state belongs to one browser, and the redirect URI to the configuration."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from doorkey.login import Login
from doorkey.testing import Provider, client
from tests.support.login_browser import Browser
from tests.support.login_sites import flask_site
from tests.support.web_browser import JSON

BASE = "https://rp.example"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(clients=[client("rp", "secret", redirect_uris=[f"{BASE}/auth/callback"])]) as running:
        yield running


@pytest.fixture
def victim(provider: Provider) -> Iterator[Browser]:
    login = Login(issuer=provider.issuer, client_id="rp", client_secret="secret", base_url=BASE, sessions="memory:")
    with flask_site(login, provider.userinfo_endpoint) as site:
        yield Browser(site, BASE)


def of_an_attacker(victim: Browser, provider: Provider) -> str:
    """The callback of a genuine login that the attacker began and has not finished."""
    return provider.log_in(Browser(victim.site, BASE).get("/auth/login").location, "user")


def test_cve_2026_41425_a_callback_of_the_attackers_login_is_not_finished_in_the_victims_browser(
    victim: Browser, provider: Provider
) -> None:
    """The state is genuine and was stored on the server: only the browser tells the two apart."""
    victim.get("/auth/login")
    assert victim.get(of_an_attacker(victim, provider), JSON).json["code"] == "no_pending_login"
    assert victim.get("/auth/me", JSON).status == 401
    assert provider.token_requests == 0


def test_cve_2025_14546_a_browser_without_a_login_finishes_none(victim: Browser, provider: Provider) -> None:
    assert victim.get(of_an_attacker(victim, provider)).status == 400
    assert victim.cookies_of() == {}
    assert provider.token_requests == 0


def test_cve_2025_68481_a_logged_in_user_does_not_become_the_attacker(victim: Browser, provider: Provider) -> None:
    victim.log_in(provider)
    before = victim.get("/auth/me", JSON).json["sub"]
    assert victim.get(of_an_attacker(victim, provider)).status == 400
    assert victim.get("/auth/me", JSON).json["sub"] == before


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host", "X-Original-Host"])
def test_cve_2026_48710_the_redirect_uri_is_not_that_of_a_header(victim: Browser, header: str) -> None:
    victim.more = {header: "evil.example"}
    begun = victim.get("/auth/login").location
    found = parse_qs(urlsplit(begun).query).get("redirect_uri", [f"{BASE}/auth/callback"])
    assert found == [f"{BASE}/auth/callback"]
    assert "evil.example" not in begun
