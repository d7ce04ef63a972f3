"""A page notices that the session at the provider has ended: the frame, and the login without a page that follows."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from doorkey.login import Login, LoginProvider
from doorkey.testing import Provider
from tests.support.login_application import MakeSite
from tests.support.login_browser import Browser
from tests.support.web_browser import JSON


def data(frame: str) -> dict[str, str]:
    return {name: unescape(value) for name, value in re.findall(r'data-(\w+)="([^"]*)"', frame)}


def is_logged_in(browser: Browser) -> bool:
    return browser.get("/auth/me", JSON).status == 200


def check_of(browser: Browser) -> str:
    return data(browser.get("/auth/session").text)["login"]


def test_the_frame_asks_the_frame_of_the_provider_about_the_session(browser: Browser, provider: Provider) -> None:
    browser.log_in(provider)
    claims = browser.get("/auth/me", JSON).json["claims"]
    frame = browser.get("/auth/session")
    found = data(frame.text)
    assert found["provider"] == f"{provider.issuer}/protocol/openid-connect/login-status-iframe.html"
    assert found["message"] == f"web-app {claims['sid']}"
    assert urlsplit(found["login"]).path == "/auth/login"
    policy = frame.header("Content-Security-Policy")
    origin = provider.issuer.partition("/realms")[0]
    assert f"frame-src {origin};" in policy
    assert "frame-ancestors 'self'" in policy
    assert "script-src 'self'" in policy
    assert frame.header("X-Frame-Options") == "SAMEORIGIN"
    script = browser.get("/auth/session.js", JSON)
    assert script.header("Content-Type").startswith("text/javascript")
    assert script.status == 200


def test_without_a_session_the_frame_is_empty(browser: Browser) -> None:
    frame = browser.get("/auth/session")
    assert frame.status == 200
    assert "script" not in frame.text
    assert frame.header("Content-Security-Policy").startswith("default-src 'none'; frame-ancestors 'self'")


@pytest.mark.parametrize("iframe", [None, "javascript:alert(1)", "http://evil.example/frame", 7])
def test_a_provider_without_a_frame_is_not_asked(make_site: MakeSite, provider: Provider, iframe: object) -> None:
    metadata = requests.get(f"{provider.issuer}/.well-known/openid-configuration", timeout=10).json()
    browser = Browser(make_site(metadata={**metadata, "check_session_iframe": iframe}, issuer=None))
    browser.log_in(provider)
    frame = browser.get("/auth/session")
    assert (frame.status, "script" in frame.text) == (200, False)


def test_a_session_that_is_there_is_renewed_without_a_page(browser: Browser, provider: Provider) -> None:
    window = provider.browser()
    browser.get(window.log_in(browser.get("/auth/login").location, "alice", "wonderland"))
    before = browser.cookies_of()["doorkey"]
    begun = browser.get(f"{check_of(browser)}&next=%2Forders%3Fpage%3D2")
    assert parse_qs(urlsplit(begun.location).query)["prompt"] == ["none"]
    back = browser.get(window.log_in(begun.location, "alice", "wonderland"))
    assert back.location == "/orders?page=2"
    assert is_logged_in(browser)
    assert browser.cookies_of()["doorkey"] != before


def test_a_session_that_has_ended_at_the_provider_ends_here(browser: Browser, provider: Provider) -> None:
    browser.log_in(provider)
    begun = browser.get(f"{check_of(browser)}&next=%2Fopen")
    callback = provider.browser().log_in(begun.location, "alice", "wonderland")
    assert "error=login_required" in callback
    back = browser.get(callback)
    assert back.location == "/open"
    assert browser.cookies_of() == {}
    assert not is_logged_in(browser)


def test_a_session_that_has_ended_here_already_shows_no_page_of_the_provider(
    browser: Browser, provider: Provider
) -> None:
    """The logout token arrives before the frame of the provider says that something has changed."""
    browser.log_in(provider)
    claims = browser.get("/auth/me", JSON).json["claims"]
    check = check_of(browser)
    token = provider.logout_token(client_id="web-app", sid=claims["sid"])
    assert Browser(browser.site).post("/auth/backchannel-logout", {"logout_token": token}, JSON).status == 200
    begun = browser.get(f"{check}&next=%2Fopen")
    callback = provider.browser().log_in(begun.location, "alice", "wonderland")
    assert browser.get(callback).location == "/open"
    assert not is_logged_in(browser)


def test_a_link_of_another_site_does_not_end_a_session(browser: Browser, provider: Provider) -> None:
    browser.log_in(provider)
    for query in ("", "check=", "check=wrong", "prompt=none", "check=1&check=2"):
        begun = browser.get(f"/auth/login?{query}")
        assert "prompt" not in parse_qs(urlsplit(begun.location).query)
    other = Browser(browser.site)
    other.log_in(provider, "bob")
    begun = browser.get(check_of(other))
    assert "prompt" not in parse_qs(urlsplit(begun.location).query)
    assert is_logged_in(browser)


def test_an_error_of_another_login_is_a_page(browser: Browser, provider: Provider) -> None:
    browser.log_in(provider)
    begun = browser.get("/auth/login")
    query = parse_qs(urlsplit(begun.location).query)
    page = browser.get(
        f"{query['redirect_uri'][0]}?error=login_required&state={query['state'][0]}&iss={provider.issuer}"
    )
    assert page.status == 403
    assert is_logged_in(browser)
    begun = browser.get(check_of(browser))
    query = parse_qs(urlsplit(begun.location).query)
    page = browser.get(
        f"{query['redirect_uri'][0]}?error=access_denied&state={query['state'][0]}&iss={provider.issuer}"
    )
    assert page.status == 403
    assert is_logged_in(browser)


def test_one_of_several_providers_is_asked_again(make_site: MakeSite, provider: Provider) -> None:
    at: dict[str, Any] = {"issuer": provider.issuer, "client_id": "web-app", "client_secret": "its-secret"}
    login = Login(*(LoginProvider(name, **at) for name in ("one", "two")), sessions="memory:")
    browser = Browser(make_site(login))
    browser.log_in(provider, path="/auth/login/two")
    assert urlsplit(check_of(browser)).path == "/auth/login/two"
