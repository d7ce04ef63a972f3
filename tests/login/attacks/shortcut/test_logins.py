"""Logins in progress: each cause has its own error, as JSON and as a page with a way back."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.login.attacks.shortcut.conftest import JSON, Shortcut, code_of, page_of
from tests.support.hostile_server import reply
from tests.support.login_application import PUBLIC
from tests.support.login_browser import Browser
from tests.support.openid_provider import SECRET
from tests.support.relying_party import parameters

EVIL = "https://evil.example"


def test_a_callback_in_another_browser_is_not_accepted_and_leaves_the_login(shortcut: Shortcut) -> None:
    site = shortcut.process()
    owner, stranger = shortcut.browser(site), shortcut.browser(site)
    url = shortcut.begin(owner)
    page_of(shortcut.finish(stranger, url), "not started in this browser")
    assert code_of(shortcut.finish(stranger, url, JSON)) == "no_pending_login"
    assert shortcut.token_requests == 0
    assert shortcut.finish(owner, url).status == 303


def test_an_expired_login_is_not_accepted(shortcut: Shortcut) -> None:
    browser = shortcut.browser()
    url = shortcut.begin(browser)
    shortcut.clock.advance(1000)
    assert code_of(shortcut.finish(browser, url, JSON)) == "login_expired"
    assert shortcut.token_requests == 0


def test_the_page_of_an_expired_login_explains_it(shortcut: Shortcut) -> None:
    browser = shortcut.browser()
    url = shortcut.begin(browser)
    shortcut.clock.advance(1000)
    page_of(shortcut.finish(browser, url), "took too long")


def test_a_stolen_cookie_replays_no_login_at_another_process(shortcut: Shortcut) -> None:
    """The thief has the cookie and the URL of the callback: the store knows that the login is finished."""
    browser, elsewhere = map(shortcut.browser, shortcut.workers(2))
    url = shortcut.begin(browser)
    thief = Browser(elsewhere.site, PUBLIC, {host: dict(jar) for host, jar in browser.jar.items()})
    response = urlencode(shortcut.response(url))
    assert browser.get(f"/auth/callback?{response}").status == 303
    assert code_of(thief.get(f"/auth/callback?{response}", JSON)) == "login_replayed"
    assert shortcut.token_requests == 1


def test_a_double_submit_leaves_the_user_logged_in(shortcut: Shortcut) -> None:
    browser = shortcut.browser()
    response = urlencode(shortcut.response(shortcut.begin(browser)))
    assert browser.get(f"/auth/callback?{response}").status == 303
    page_of(browser.get(f"/auth/callback?{response}"))
    assert shortcut.token_requests == 1
    assert browser.get("/").status == 200


def test_a_changed_secret_is_its_own_error(shortcut: Shortcut) -> None:
    browser = shortcut.browser()
    url = shortcut.begin(browser)
    browser.site = shortcut.process(secret="another secret of thirty-two characters")
    response = urlencode(shortcut.response(url))
    assert code_of(browser.get(f"/auth/callback?{response}", JSON)) == "login_secret_changed"
    assert shortcut.token_requests == 0
    assert shortcut.log_in(browser).status == 303


def test_the_old_secret_beside_the_new_one_finishes_logins_in_progress(shortcut: Shortcut) -> None:
    browser = shortcut.browser()
    url = shortcut.begin(browser)
    new = "another secret of thirty-two characters"
    browser.site = shortcut.process(secret=[new, "a secret of thirty-two characters"])
    assert shortcut.finish(browser, url).status == 303


def test_any_of_four_workers_finishes_a_login_and_knows_the_user(shortcut: Shortcut) -> None:
    workers = shortcut.workers(4)
    browser = shortcut.browser(workers[0])
    url = shortcut.begin(browser)
    browser.site = workers[1]
    assert shortcut.finish(browser, url).status == 303
    for worker in workers:
        browser.site = worker
        assert browser.get("/").json["sub"] == shortcut.provider.user["sub"]


def test_a_deployment_in_the_middle_of_a_login_does_not_end_it(shortcut: Shortcut) -> None:
    browser = shortcut.browser()
    url = shortcut.begin(browser)
    browser.site = shortcut.process(scope="openid email")
    assert shortcut.finish(browser, url).status == 303


def test_a_login_that_ends_at_another_host_is_its_own_error(shortcut: Shortcut) -> None:
    local = "http://127.0.0.1:8000"
    browser = Browser(shortcut.process(base_url=local), local)
    url = shortcut.begin(browser)
    browser.origin = "http://localhost:8000"
    response = urlencode(shortcut.response(url))
    assert code_of(browser.get(f"/auth/callback?{response}", JSON)) == "other_host"
    page_of(browser.get(f"/auth/callback?{response}"), "127.0.0.1:8000", "localhost:8000")
    assert shortcut.token_requests == 0


def test_form_post_of_another_site_carries_the_cookie_of_its_login(shortcut: Shortcut) -> None:
    browser = shortcut.browser(shortcut.process(response_mode="form_post"))
    url = shortcut.begin(browser)
    assert parameters(url)["response_mode"] == "form_post"
    done = browser.post("/auth/callback", shortcut.response(url), cross_site=True)
    assert done.status == 303, done.text
    assert browser.get("/").status == 200
    assert browser.get("/", JSON, cross_site=True).status == 401  # the session's own cookie is not for other sites


@pytest.mark.parametrize("promised", [False, True])
def test_the_iss_of_another_issuer_is_not_accepted(shortcut: Shortcut, promised: bool) -> None:
    if promised:
        shortcut.supports(authorization_response_iss_parameter_supported=True)
    browser = shortcut.browser()
    page_of(shortcut.finish(browser, shortcut.begin(browser), iss=EVIL))
    assert shortcut.token_requests == 0


def test_a_missing_iss_is_not_accepted_from_a_provider_that_promises_it(shortcut: Shortcut) -> None:
    shortcut.supports(authorization_response_iss_parameter_supported=True)
    browser = shortcut.browser()
    page_of(shortcut.finish(browser, shortcut.begin(browser)))
    assert shortcut.token_requests == 0
    assert shortcut.finish(browser, shortcut.begin(browser), iss=shortcut.provider.issuer).status == 303


def test_an_error_of_the_provider_is_shown_escaped_and_sends_no_token_request(shortcut: Shortcut) -> None:
    browser = shortcut.browser()
    state = parameters(shortcut.begin(browser))["state"]
    query = {"error": "access_denied", "error_description": "<script>alert(1)</script>", "state": state}
    text = page_of(browser.get(f"/auth/callback?{urlencode(query)}"), "access_denied")
    assert "<script>" not in text
    assert shortcut.token_requests == 0


@pytest.mark.parametrize("status", [302, 307, 308])
def test_code_and_secret_follow_no_redirect(shortcut: Shortcut, status: int) -> None:
    browser, server = shortcut.browser(), shortcut.provider.server
    server.on("/token", reply(status, headers={"Location": server.url("/elsewhere")}))
    page_of(shortcut.finish(browser, shortcut.begin(browser)))
    assert shortcut.token_requests == 1
    assert not server.to("/elsewhere")


WRONG: dict[str, Any] = {"iss": EVIL, "aud": "another-client", "nonce": "another", "exp": 1_000_000_000, "sub": None}


@pytest.mark.parametrize("claim", WRONG)
def test_an_id_token_with_a_wrong_claim_logs_nobody_in(shortcut: Shortcut, claim: str) -> None:
    shortcut.provider.changed = {claim: WRONG[claim]}
    browser = shortcut.browser()
    page_of(shortcut.finish(browser, shortcut.begin(browser)))
    assert browser.get("/", JSON).status == 401
    assert shortcut.provider.request_count("/userinfo") == 0


def test_userinfo_of_another_user_logs_nobody_in(shortcut: Shortcut) -> None:
    shortcut.provider.user = {"sub": "another"}
    browser = shortcut.browser()
    page_of(shortcut.finish(browser, shortcut.begin(browser)))
    assert browser.get("/", JSON).status == 401


def test_claims_of_one_megabyte_reach_no_cookie(shortcut: Shortcut) -> None:
    shortcut.provider.user = {**shortcut.provider.user, "blob": "x" * 1_000_000}
    browser = shortcut.browser()
    assert shortcut.finish(browser, shortcut.begin(browser)).status == 303
    assert all(len(value) < 100 for name, value in browser.cookies_of().items() if "-login-" not in name)


def test_claims_that_are_no_unicode_text_leave_nothing_in_the_store(shortcut: Shortcut) -> None:
    shortcut.provider.user = {**shortcut.provider.user, "nickname": "a\ud800b"}
    browser = shortcut.browser()
    assert shortcut.finish(browser, shortcut.begin(browser), JSON).status == 400
    assert [key for key in shortcut.store._entries if key.startswith(("login/session", "login/token"))] == []


def test_no_page_shows_a_secret(shortcut: Shortcut) -> None:
    browser = shortcut.browser()
    response = shortcut.response(shortcut.begin(browser))
    shortcut.provider.server.on("/token", reply(500, f"<html>{SECRET} {response['code']}</html>"))
    text = page_of(browser.get(f"/auth/callback?{urlencode(response)}"))
    for secret in (SECRET, response["code"], response["state"]):
        assert secret not in text


TARGETS = [
    *("//evil.example", "/\\evil.example", "https:evil.example", "https://evil.example", "/%2f/evil.example"),
    *("/a\t/evil.example", "/@evil.example", "\t//evil.example", "///evil.example", "/%5cevil.example", "javascript:1"),
]


@pytest.mark.parametrize("target", TARGETS)
def test_after_a_login_the_user_stays_on_this_site(shortcut: Shortcut, target: str) -> None:
    browser = shortcut.browser()
    assert shortcut.finish(browser, shortcut.begin(browser, target)).location == "/"
