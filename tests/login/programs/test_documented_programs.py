"""The login programs of Authlib's documentation, with Authlib and with only the package's name changed to doorkey.

The documents describe, for each framework: a registry with its settings, a login at an OpenID provider and at a plain
OAuth 2 provider, a request with the user's token, a renewal that is reported to the program, and a logout.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal

from doorkey.integrations.requests_client import OAuth2Session
from doorkey.testing import Provider, client
from tests.login.programs.site_of import FRAMEWORKS, HOST, site_of
from tests.support.relying_party import parameters
from tests.support.web_browser import Browser
from tests.support.web_sites import Site

GOOGLE, GITHUB = "documented-google", "documented-github"
SECRET = "a-secret-of-the-documented-program"
SETTINGS = {
    "GOOGLE_CLIENT_ID": GOOGLE,
    "GOOGLE_CLIENT_SECRET": SECRET,
    "GITHUB_CLIENT_ID": GITHUB,
    "GITHUB_CLIENT_SECRET": SECRET,
}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    clients = [
        client(
            name,
            secret=SECRET,
            redirect_uris=[f"{HOST}/auth/{place}"],
            post_logout_redirect_uris=[f"{HOST}/logged-out"],
        )
        for name, place in ((GOOGLE, "google"), (GITHUB, "github"))
    ]
    with Provider(clients=clients, access_token_lifetime=300) as running:
        yield running


@dataclass
class Program:
    """A running program, its provider, and what it has stored."""

    site: Site
    provider: Provider
    tokens: dict[str, Any] = field(default_factory=dict[str, Any])
    updates: list[Any] = field(default_factory=list[Any])

    def begun(self, browser: Browser, name: str) -> str:
        """Begin a login, and return the callback to which the provider sends the browser."""
        return self.provider.log_in(browser.get(f"/login/{name}").location, "alice")

    def logged_in(self, name: str) -> Browser:
        """Log in, and return the browser."""
        browser = Browser(self.site, HOST)
        page = browser.get(self.begun(browser, name))
        assert (page.status // 100, page.header("location")) == (3, "/"), page.text[:1000]
        return browser


@pytest.fixture(params=["authlib", "doorkey"])
def package(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=FRAMEWORKS)
def program(
    request: pytest.FixtureRequest, package: str, provider: Provider, portal: BlockingPortal
) -> Iterator[Program]:
    tokens: dict[str, Any] = {}
    updates: list[Any] = []
    names = {
        "CONF_URL": f"{provider.origin}/realms/master/.well-known/openid-configuration",
        "AUTHORIZE_URL": provider.authorization_endpoint,
        "TOKEN_URL": provider.token_endpoint,
        "API_BASE_URL": f"{provider.origin}/",
        "TOKENS": tokens,
        "UPDATES": updates,
    }
    with site_of(str(request.param), package, SETTINGS, portal, **names) as site:
        yield Program(site, provider, tokens, updates)


def test_a_user_logs_in_at_an_openid_provider(program: Program) -> None:
    user = program.logged_in("google").get("/").json
    assert (user["preferred_username"], user["aud"], user["email"]) == ("alice", GOOGLE, "alice@example.org")


def test_a_user_logs_in_at_a_plain_oauth_2_provider_and_the_program_calls_its_api(program: Program) -> None:
    assert program.logged_in("github").get("/").json == {"name": "github", "bearer": True}


def test_an_unknown_name_has_no_client(program: Program) -> None:
    assert Browser(program.site, HOST).get("/login/gitlab").status == 404


def test_a_callback_in_another_browser_is_a_caught_error_and_the_login_goes_on(program: Program) -> None:
    browser, stranger = Browser(program.site, HOST), Browser(program.site, HOST)
    callback = program.begun(browser, "google")
    assert stranger.get(callback).status == 400
    assert browser.get(callback).header("location") == "/"


def test_a_login_that_the_provider_rejects_is_a_caught_error_with_its_code(program: Program) -> None:
    browser = Browser(program.site, HOST)
    came = parameters(program.begun(browser, "google"))
    page = browser.get("/auth/google", query={"error": "access_denied", "state": came["state"], "iss": came["iss"]})
    assert (page.status, page.json) == (400, {"error": "access_denied"})


def stored_token(provider: Provider) -> dict[str, Any]:
    with OAuth2Session(GITHUB, SECRET, scope="email", redirect_uri=f"{HOST}/auth/github") as session:
        url, state = session.create_authorization_url(provider.authorization_endpoint)
        came = provider.log_in(url, "alice")
        return dict(session.fetch_token(provider.token_endpoint, authorization_response=came, state=state))


def test_a_request_carries_the_token_that_the_program_has_stored(program: Program) -> None:
    program.tokens["github"] = stored_token(program.provider)
    page = Browser(program.site, HOST).get("/resource")
    assert page.json["authorization"] == f"Bearer {program.tokens['github']['access_token']}"
    assert program.updates == []


def test_an_expired_token_is_renewed_and_the_program_is_told(program: Program) -> None:
    old = {**stored_token(program.provider), "expires_at": int(time.time()) - 60}
    program.tokens["github"] = old
    page = Browser(program.site, HOST).get("/resource")
    assert page.status == 200, page.text[:1000]
    new = program.tokens["github"]
    assert page.json["authorization"] == f"Bearer {new['access_token']}"
    assert new["access_token"] != old["access_token"]
    assert program.updates == [("github", old["refresh_token"], None)]


def test_a_user_logs_out_at_the_provider_and_comes_back(program: Program) -> None:
    browser = program.logged_in("google")
    url = browser.get("/logout").location
    left = program.provider.browser().log_out(url)
    assert left.redirect is not None
    page = browser.get(left.redirect)
    assert (page.status, page.json) == (200, {"post_logout_redirect_uri": f"{HOST}/logged-out"})
    assert browser.get("/").json is None
