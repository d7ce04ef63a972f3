"""Responses of the provider that are not for this login, and answers that would lead secrets elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from tests.login.attacks.target import Target, logged_in, refused, state_of
from tests.support.hostile_server import reply
from tests.support.openid_provider import SECRET
from tests.support.web_browser import Browser

EVIL = "https://evil.example"


@pytest.fixture
def browser(target: Target) -> Browser:
    """The browser of a user."""
    return target.browser()


@pytest.mark.parametrize("promised", [False, True])
def test_the_iss_of_another_issuer_is_not_accepted(target: Target, browser: Browser, promised: bool) -> None:
    if promised:
        target.supports_iss()
    refused(target.finish(browser, target.begin(browser), iss=EVIL))
    assert not target.token_requests


def test_a_missing_iss_is_not_accepted_from_a_provider_that_promises_it(target: Target, browser: Browser) -> None:
    target.supports_iss()
    refused(target.finish(browser, target.begin(browser)))
    assert not target.token_requests
    logged_in(target.finish(browser, target.begin(browser), iss=target.provider.issuer))


def test_an_error_of_another_issuer_is_not_shown_as_the_providers(target: Target, browser: Browser) -> None:
    url = target.begin(browser)
    found = refused(browser.get("/callback", query={"error": "access_denied", "state": state_of(url), "iss": EVIL}))
    assert found["code"] != "access_denied"


def test_an_error_for_no_login_of_this_browser_is_not_shown_as_the_providers(target: Target, browser: Browser) -> None:
    target.begin(browser)
    query = {"error": "access_denied", "error_description": "call 555", "state": "x"}
    found = refused(browser.get("/callback", query=query))
    assert found["code"] != "access_denied"
    assert "555" not in found["text"]


def test_an_error_of_the_provider_sends_no_token_request(target: Target, browser: Browser) -> None:
    url = target.begin(browser)
    response = {"error": "access_denied", "error_description": "The user said no.", "state": state_of(url), "code": "c"}
    found = refused(browser.get("/callback", query=response), "LoginRefused")
    assert found["code"] == "access_denied"
    assert not target.token_requests


@pytest.mark.parametrize("name", ["code", "state"])
def test_a_duplicated_parameter_is_not_accepted(target: Target, browser: Browser, name: str) -> None:
    response = target.response(target.begin(browser))
    query = "&".join(f"{key}={value}" for key, value in [*response.items(), (name, response[name])])
    refused(browser.get(f"/callback?{query}"))
    assert not target.token_requests


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_code_and_secret_follow_no_redirect(target: Target, browser: Browser, status: int) -> None:
    server = target.provider.server
    server.on("/token", reply(status, headers={"Location": server.url("/elsewhere")}))
    refused(target.finish(browser, target.begin(browser)))
    assert len(server.to("/token")) == 1
    assert not server.to("/elsewhere")


def test_userinfo_of_another_user_is_not_accepted(target: Target, browser: Browser) -> None:
    logged_in(target.log_in(browser))
    assert browser.get("/userinfo").json["sub"] == target.provider.user["sub"]
    target.provider.user = {"sub": "another"}
    refused(browser.get("/userinfo"))


WRONG: dict[str, Any] = {
    "iss": EVIL,
    "aud": "another-client",
    "nonce": "another",
    "exp": 1_000_000_000,
    "sub": None,
    "iat": None,
}


@pytest.mark.parametrize("claim", WRONG)
def test_an_id_token_with_a_wrong_claim_logs_nobody_in(target: Target, browser: Browser, claim: str) -> None:
    target.provider.changed = {claim: WRONG[claim]}
    refused(target.finish(browser, target.begin(browser)))
    assert browser.get("/api").status != 200


def test_a_forged_id_token_logs_nobody_in(target: Target, browser: Browser) -> None:
    target.provider.forges = True
    refused(target.finish(browser, target.begin(browser)))


def test_an_id_token_that_is_missing_logs_nobody_in(target: Target, browser: Browser) -> None:
    target.provider.tokens = {"id_token": None}
    refused(target.finish(browser, target.begin(browser)))


def test_claims_of_one_megabyte_reach_no_cookie(target: Target, browser: Browser) -> None:
    target.provider.changed = {"blob": "x" * 1_000_000}
    refused(target.finish(browser, target.begin(browser)))
    target.provider.changed = {}
    target.provider.user = {**target.provider.user, "blob": "x" * 1_000_000}
    logged_in(target.log_in(browser))
    assert len(browser.get("/userinfo").json["blob"]) == 1_000_000
    assert not browser.too_large


def test_no_error_shows_a_secret(target: Target, browser: Browser) -> None:
    url = target.begin(browser)
    response = target.response(url)
    target.provider.server.on("/token", reply(500, f"<html>{SECRET} {response['code']}</html>"))
    text = str(refused(browser.get("/callback", query=response)))
    for secret in (SECRET, response["code"], response["state"]):
        assert secret not in text
