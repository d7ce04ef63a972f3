"""Logins in progress: two tabs, other browsers, replays, restarts, and what a stranger can do to them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.login.attacks.target import Target, logged_in, refused, state_of
from tests.support.web_browser import Browser

NO_LOGIN = ("NoPendingLogin", "LoginSecretChanged", "OtherHost")
"""The errors of a callback whose browser has no pending login."""


@pytest.fixture(params=["session", "cache"], autouse=True)
def pending_in(request: pytest.FixtureRequest, target: Target) -> str:
    """Where the program keeps pending logins."""
    target.cached = request.param == "cache"
    return str(request.param)


def test_a_callback_of_a_stranger_leaves_the_pending_login_of_its_owner(target: Target) -> None:
    owner, stranger = target.browser(), target.browser()
    url = target.begin(owner)
    refused(stranger.get("/callback", {"code": "of the stranger", "state": state_of(url)}), *NO_LOGIN)
    assert not target.token_requests
    logged_in(target.finish(owner, url))


def test_a_callback_of_another_users_browser_is_not_accepted(target: Target) -> None:
    """The attacker's response in the victim's browser would log the victim in as the attacker."""
    attacker, victim = target.browser(), target.browser()
    url, _ = target.begin(attacker), target.begin(victim)
    refused(target.finish(victim, url), *NO_LOGIN)
    assert not target.token_requests
    assert victim.get("/api").status != 200


def test_a_pending_login_that_expired_is_not_accepted(target: Target) -> None:
    browser = target.browser()
    url = target.begin(browser)
    browser.get("/age", query={"seconds": "90000"})
    refused(target.finish(browser, url), "LoginExpired")
    assert not target.token_requests


def test_an_expired_login_leaves_one_that_began_later(target: Target) -> None:
    browser = target.browser()
    old = target.begin(browser)
    browser.get("/age", query={"seconds": "90000"})
    new = target.begin(browser)
    refused(target.finish(browser, old), "LoginExpired", *NO_LOGIN)
    logged_in(target.finish(browser, new))


def test_two_tabs_finish_in_either_order(target: Target) -> None:
    for last in (0, 1):
        browser = target.browser()
        tabs = [target.begin(browser), target.begin(browser)]
        logged_in(target.finish(browser, tabs.pop(last)))
        logged_in(target.finish(browser, tabs.pop()))


def test_after_200_abandoned_logins_the_next_one_succeeds_and_the_oldest_is_dropped(target: Target) -> None:
    browser = target.browser()
    abandoned = [target.begin(browser) for _ in range(200)]
    last = target.begin(browser)
    assert not browser.too_large
    logged_in(target.finish(browser, last))
    refused(target.finish(browser, abandoned[0]), *NO_LOGIN)


def test_a_double_submit_is_a_replay_and_leaves_the_user_logged_in(target: Target) -> None:
    browser = target.browser()
    url = target.begin(browser)
    response = target.response(url)
    logged_in(browser.get("/callback", query=response))
    refused(browser.get("/callback", query=response), "LoginReplayed")
    assert len(target.token_requests) == 1
    assert browser.get("/api").status == 200


def test_a_replay_with_another_code_sends_no_token_request(target: Target) -> None:
    browser = target.browser()
    url = target.begin(browser)
    logged_in(target.finish(browser, url))
    refused(target.finish(browser, url, code="another"), "LoginReplayed")
    assert len(target.token_requests) == 1


def test_after_the_back_button_the_user_can_log_in_again(target: Target) -> None:
    browser = target.browser()
    url = target.begin(browser)
    logged_in(target.finish(browser, url))
    refused(target.finish(browser, url), "LoginReplayed")
    logged_in(target.log_in(browser))


def test_a_changed_session_secret_is_an_error_that_programs_catch(target: Target) -> None:
    browser = target.browser()
    url = target.begin(browser)
    browser.site = target.process(secret="another secret")
    refused(target.finish(browser, url), *NO_LOGIN)
    assert not target.token_requests
    logged_in(target.log_in(browser))


def test_a_login_that_began_on_localhost_does_not_end_on_127_0_0_1(target: Target) -> None:
    browser = target.browser()
    browser.origin = "https://localhost:8000"
    url = target.begin(browser)
    browser.origin = "https://127.0.0.1:8000"
    found = refused(target.finish(browser, url), *NO_LOGIN)
    assert "127.0.0.1" in found["text"] or "host" in found["text"], found
    assert not target.token_requests


def test_form_post_ends_without_the_cookie_unless_it_is_for_cross_site_requests(target: Target) -> None:
    browser = target.browser()
    url = target.begin(browser, response_mode="form_post")
    refused(browser.post("/callback", target.response(url), cross_site=True), *NO_LOGIN)
    assert not target.token_requests
    browser.site = target.process(same_site="None")
    url = target.begin(browser, response_mode="form_post")
    logged_in(browser.post("/callback", target.response(url), cross_site=True))


def test_any_of_four_workers_finishes_a_login(target: Target) -> None:
    workers = [target.process() for _ in range(4)]
    for number, worker in enumerate(workers):
        browser = target.browser(worker)
        url = target.begin(browser)
        browser.site = workers[number - 1]
        logged_in(target.finish(browser, url))
        browser.site = workers[number - 2]
        refused(target.finish(browser, url), "LoginReplayed")


def test_a_deployment_in_the_middle_of_a_login_does_not_end_it(target: Target) -> None:
    """The new version asks for another scope: a login in progress keeps the values that it began with."""
    browser = target.browser()
    url = target.begin(browser)
    kwargs = {**target.program.options["client_kwargs"], "scope": "openid email"}
    browser.site = target.process(options={**target.program.options, "client_kwargs": kwargs})
    logged_in(target.finish(browser, url))


Mistake = Callable[[Target, Browser], dict[str, str]]


def _logout_state(target: Target, browser: Browser) -> dict[str, str]:
    return {"code": "any", "state": state_of(browser.get("/logout").location)}


def _no_state(target: Target, browser: Browser) -> dict[str, str]:
    return target.response(target.begin(browser), state=None)


def _empty_state(target: Target, browser: Browser) -> dict[str, str]:
    return target.response(target.begin(browser), state="")


def _made_up_state(target: Target, browser: Browser) -> dict[str, str]:
    return target.response(target.begin(browser), state="made-up")


def _no_code(target: Target, browser: Browser) -> dict[str, str]:
    return target.response(target.begin(browser), code=None)


@pytest.mark.parametrize("mistake", [_logout_state, _no_state, _empty_state, _made_up_state, _no_code])
def test_a_callback_with_the_wrong_parameters_sends_no_token_request(target: Target, mistake: Mistake) -> None:
    browser = target.browser()
    refused(browser.get("/callback", query=mistake(target, browser)))
    assert not target.token_requests


def test_a_login_state_is_no_logout_state(target: Target) -> None:
    browser = target.browser()
    url = target.begin(browser)
    refused(browser.get("/logged-out", query={"state": state_of(url)}))
    logged_in(target.finish(browser, url))


def test_a_logout_state_is_accepted_once_and_by_its_browser_only(target: Target) -> None:
    browser, stranger = target.browser(), target.browser()
    state = state_of(browser.get("/logout").location)
    refused(stranger.get("/logged-out", {"state": state}))
    assert browser.get("/logged-out", query={"state": state}).status == 200
    refused(browser.get("/logged-out", query={"state": state}))
