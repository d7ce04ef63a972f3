"""Presets in the shortcut: what Apple posts, GitHub's user API, and Cognito's logout reach the application."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from doorkey.login import Login
from doorkey.login.presets import PRESETS, preset
from doorkey.login.web.providers import LoginProvider
from tests.login.presets.providers import CLIENT, NOW, PROVIDERS, SECRET, Server
from tests.login.presets.test_table import PARAMETERS
from tests.support.login_browser import Browser
from tests.support.login_sites import flask_site
from tests.support.web_browser import JSON

ORIGIN = "https://app.example"

LogIn = Callable[[str], tuple[Browser, Server]]


@pytest.fixture
def log_in() -> Iterator[LogIn]:
    """Return what logs a user in at a provider, and returns the browser and the provider."""
    with ExitStack() as stack:

        def logged_in(name: str) -> tuple[Browser, Server]:
            found = preset(name, **PARAMETERS[name])
            server = Server(name, found.issuer)
            http = stack.enter_context(httpx2.Client(transport=server.transport))
            options: dict[str, Any] = {"http_client": http, "clock": lambda: float(NOW)}
            provider = LoginProvider("it", CLIENT, None if name == "apple" else SECRET, preset=found, **options)
            login = Login(provider, base_url=ORIGIN, sessions="memory:", clock=lambda: float(NOW))
            browser = Browser(stack.enter_context(flask_site(login, "https://api.example")), ORIGIN)
            back = server.authorize(browser.get("/auth/login").location)
            if found.authorization_params.get("response_mode") == "form_post":
                done = browser.post("/auth/callback", back, cross_site=True)
            else:
                done = browser.get("/auth/callback?" + str(httpx2.QueryParams(back)))
            assert done.status == 303, done.text
            return browser, server

        yield logged_in


@pytest.mark.parametrize("name", PRESETS)
def test_a_user_of_each_provider_is_known_by_issuer_and_subject(log_in: LogIn, name: str) -> None:
    browser, _ = log_in(name)
    me = browser.get("/auth/me", JSON).json
    found = preset(name, **PARAMETERS[name])
    assert (me["iss"], me["sub"]) == (found.identity_issuer, PROVIDERS[name].expected["sub"])
    expected = PROVIDERS[name].expected
    assert {claim: me["claims"].get(claim) for claim in expected} == expected


def test_the_name_that_apple_posts_is_a_claim_and_its_address_is_not(log_in: LogIn) -> None:
    claims = log_in("apple")[0].get("/auth/me", JSON).json["claims"]
    assert (claims["given_name"], claims["name"]) == ("Alice", "Alice Liddell")
    assert claims["email"] == "alice@privaterelay.appleid.example"


def test_linkedin_gets_no_code_verifier_and_every_other_provider_gets_one(log_in: LogIn) -> None:
    without = [name for name in PRESETS if any("code_verifier" not in form for form in log_in(name)[1].forms)]
    assert without == ["linkedin"]


def logout_url(browser: Browser) -> str:
    token = browser.get("/auth/me", JSON).json["csrf_token"]
    return browser.post("/auth/logout", {"csrf_token": token}).location


def test_cognito_is_sent_to_its_own_logout_with_its_own_parameter(log_in: LogIn) -> None:
    url = urlsplit(logout_url(log_in("cognito")[0]))
    assert f"{url.scheme}://{url.netloc}{url.path}" == "https://example.auth.eu-west-1.amazoncognito.com/logout"
    query = parse_qs(url.query)
    assert query["client_id"] == [CLIENT]
    assert query["logout_uri"] == [f"{ORIGIN}/"]
    assert "post_logout_redirect_uri" not in query


def test_other_providers_get_the_parameters_of_the_specification(log_in: LogIn) -> None:
    query = parse_qs(urlsplit(logout_url(log_in("okta")[0])).query)
    assert query["post_logout_redirect_uri"] == [f"{ORIGIN}/"]
    assert "id_token_hint" in query


@pytest.mark.parametrize("name", ["github", "google"])
def test_without_a_logout_at_the_provider_the_logout_ends_here(log_in: LogIn, name: str) -> None:
    assert logout_url(log_in(name)[0]) == "/"
