"""The logout rows of the OpenID Foundation's tests for relying parties (tests/openid/conformance.md), at `Login`."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from doorkey.jose.generation import generate_key
from doorkey.jose.signing import sign
from doorkey.jose.verification import unsafe_claims
from tests.login.attacks.shortcut.conftest import JSON, SID, Shortcut
from tests.support.login_application import PUBLIC
from tests.support.login_browser import Browser
from tests.support.openid_provider import SECRET, Signer
from tests.support.relying_party import parameters
from tests.support.web_sites import Page, Site


def logged_in(shortcut: Shortcut, site: Site | None = None) -> Browser:
    browser = shortcut.browser(site)
    shortcut.log_in(browser)
    assert browser.get("/").status == 200
    return browser


def log_out(browser: Browser) -> Page:
    """Log out with the button of the application."""
    return browser.post("/auth/logout", {"csrf_token": browser.get("/").json["csrf"]})


def backchannel(shortcut: Shortcut, browser: Browser, logout_token: str) -> int:
    """Let the provider send a logout token, without a browser."""
    provider = Browser(browser.site, PUBLIC)
    return provider.post("/auth/backchannel-logout", {"logout_token": logout_token}, headers={}).status


def is_logged_in(browser: Browser) -> bool:
    return browser.get("/", JSON).status == 200


def test_oidcc_client_test_rp_backchannel_rpinitlogout(shortcut: Shortcut) -> None:
    browser = logged_in(shortcut)
    out = log_out(browser)
    assert out.location.startswith(shortcut.provider.metadata["end_session_endpoint"])
    asked = parameters(out.location)
    assert asked["post_logout_redirect_uri"] == f"{PUBLIC}/"
    assert asked["id_token_hint"]
    assert backchannel(shortcut, browser, shortcut.provider.logout_token()) == 200
    assert not is_logged_in(browser)
    back = browser.get(f"/?{urlencode({'state': asked['state']})}")  # the post-logout redirect
    assert back.location.startswith("/auth/login")


WRONG: dict[str, dict[str, Any]] = {
    "no_event": {"events": None},
    "with_nonce": {"nonce": "n-1"},
    "wrong_aud": {"aud": "another-client"},
    "wrong_event": {"events": {"http://schemas.openid.net/event/another": {}}},
    "wrong_iss": {"iss": "https://another.example"},
    "expired": {"exp": 1_000_000_000},
    "no_iat": {"iat": None},
    "no_jti": {"jti": None},
    "no_sub_and_no_sid": {"sub": None, "sid": None},
}


@pytest.mark.parametrize("mistake", WRONG)
def test_oidcc_client_test_rp_backchannel_rpinitlogout_with_a_mistake(shortcut: Shortcut, mistake: str) -> None:
    browser = logged_in(shortcut)
    assert backchannel(shortcut, browser, shortcut.provider.logout_token(**WRONG[mistake])) == 400
    assert is_logged_in(browser)


def test_oidcc_client_test_rp_backchannel_rpinitlogout_alg_none(shortcut: Shortcut) -> None:
    browser = logged_in(shortcut)
    shortcut.provider.unsigned = True
    assert backchannel(shortcut, browser, shortcut.provider.logout_token()) == 400
    assert is_logged_in(browser)


def test_oidcc_client_test_rp_backchannel_rpinitlogout_wrong_alg(shortcut: Shortcut) -> None:
    browser = logged_in(shortcut)
    shortcut.provider.hmac_secret = SECRET
    assert backchannel(shortcut, browser, shortcut.provider.logout_token()) == 400
    assert is_logged_in(browser)


def test_a_logout_token_of_another_key_is_not_accepted(shortcut: Shortcut) -> None:
    browser = logged_in(shortcut)
    stranger = generate_key("ES256")
    claims = unsafe_claims(shortcut.provider.logout_token())
    token = sign(claims, stranger, alg="ES256", header={"typ": "logout+jwt", "kid": str(Signer().kid)})
    assert backchannel(shortcut, browser, token) == 400
    assert is_logged_in(browser)


def test_an_id_token_is_no_logout_token(shortcut: Shortcut) -> None:
    browser = logged_in(shortcut)
    assert backchannel(shortcut, browser, shortcut.provider.id_token({"nonce": "n"})) == 400
    assert is_logged_in(browser)


def test_a_logout_token_is_accepted_once_by_all_processes(shortcut: Shortcut) -> None:
    one, other = shortcut.workers(2)
    browser, token = logged_in(shortcut, one), shortcut.provider.logout_token()
    assert backchannel(shortcut, browser, token) == 200
    shortcut.log_in(browser)
    browser.site = other
    assert backchannel(shortcut, browser, token) == 400
    assert is_logged_in(browser)


def test_a_logout_token_ends_every_session_with_its_sid_and_no_other(shortcut: Shortcut) -> None:
    one, two = logged_in(shortcut), logged_in(shortcut)
    shortcut.provider.changed = {"sid": "sid-2"}
    other = logged_in(shortcut)
    assert backchannel(shortcut, one, shortcut.provider.logout_token()) == 200
    assert [is_logged_in(browser) for browser in (one, two, other)] == [False, False, True]
    assert backchannel(shortcut, one, shortcut.provider.logout_token(sid=None)) == 200  # all sessions of the user
    assert not is_logged_in(other)


def test_a_logout_ends_every_session_with_its_sid_and_no_other(shortcut: Shortcut) -> None:
    """The provider's session ends with it, so this does not wait for a logout token."""
    one, two = logged_in(shortcut), logged_in(shortcut)
    shortcut.provider.changed = {"sid": "sid-2"}
    other = logged_in(shortcut)
    assert log_out(one).status == 303
    assert [is_logged_in(browser) for browser in (one, two, other)] == [False, False, True]


def frame(shortcut: Shortcut, browser: Browser, **query: str) -> Page:
    """Load the front-channel logout URL in a frame of the provider's page: no cookie of ours comes with it."""
    named = {"iss": shortcut.provider.issuer, "sid": SID, **query}
    return browser.get(f"/auth/frontchannel-logout?{urlencode(named)}", cross_site=True)


def test_oidcc_client_test_rp_frontchannel_opinitlogout(shortcut: Shortcut) -> None:
    browser = logged_in(shortcut)
    loaded = frame(shortcut, browser)
    assert loaded.status == 200
    assert "frame-ancestors http://127.0.0.1" in loaded.header("Content-Security-Policy")
    assert not is_logged_in(browser)


@pytest.mark.parametrize("wrong", [{"iss": "https://another.example"}, {"sid": "another"}])
def test_a_frame_of_another_session_ends_none(shortcut: Shortcut, wrong: dict[str, str]) -> None:
    browser = logged_in(shortcut)
    frame(shortcut, browser, **wrong)
    assert is_logged_in(browser)


def test_oidcc_client_test_rp_frontchannel_rpinitlogout(shortcut: Shortcut) -> None:
    browser, other = logged_in(shortcut), logged_in(shortcut)
    assert log_out(browser).status == 303
    assert frame(shortcut, browser).status == 200
    assert not is_logged_in(browser)
    assert not is_logged_in(other)


def test_oidcc_client_test_rp_init_logout(shortcut: Shortcut) -> None:
    browser = logged_in(shortcut)
    assert log_out(browser).status == 303
    assert not is_logged_in(browser)
    assert browser.cookies_of() == {}


@pytest.mark.parametrize("query", ["", "?state=another"])
def test_oidcc_client_test_rp_init_logout_without_and_with_another_state(shortcut: Shortcut, query: str) -> None:
    """The page after the logout is one of the application: it reads no state, and the session has ended before."""
    browser = logged_in(shortcut)
    log_out(browser)
    assert browser.get(f"/open{query}").json == {"sub": None}


@pytest.mark.parametrize("token", [None, "", "wrong"])
def test_a_logout_without_the_csrf_token_ends_nothing(shortcut: Shortcut, token: str | None) -> None:
    browser = logged_in(shortcut)
    answer = browser.post("/auth/logout", {} if token is None else {"csrf_token": token})
    assert answer.status in (400, 403)
    assert is_logged_in(browser)
    assert browser.get("/auth/logout").status == 200  # the page that asks
    assert is_logged_in(browser)
