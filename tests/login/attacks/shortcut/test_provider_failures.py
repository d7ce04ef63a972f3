"""A provider that is down, or answers something else: a page with a retry, and a typed error."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from tests.login.attacks.shortcut.conftest import JSON, PAGE, Shortcut, code_of, page_of
from tests.login.attacks.target import CONFIGURATION, at_once
from tests.login.attacks.test_provider_failures import FAILURES
from tests.servers.process import nobodys_port
from tests.support.hostile_server import reply
from tests.support.login_browser import Browser
from tests.support.web_sites import Page

SOME = ("closes the connection", "HTML", "HTML error", "half a document", "503")
"""Of the failures that the registries' test has: the HTTP layer is the same."""
Again = Callable[[dict[str, str]], Page]


def _before_the_login(shortcut: Shortcut, browser: Browser) -> Again:
    return lambda headers: browser.get("/auth/login", headers)


def _at_the_callback(shortcut: Shortcut, browser: Browser) -> Again:
    target = f"/auth/callback?{urlencode(shortcut.response(shortcut.begin(browser)))}"
    return lambda headers: browser.get(target, headers)


PLACES: dict[str, Callable[[Shortcut, Browser], Again]] = {
    CONFIGURATION: _before_the_login,
    "/token": _at_the_callback,
    "/jwks": _at_the_callback,
    "/userinfo": _at_the_callback,
}


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("failure", SOME)
def test_a_failure_of_the_provider_is_a_page_with_a_retry(shortcut: Shortcut, path: str, failure: str) -> None:
    site = shortcut.process()
    for headers in (PAGE, JSON):
        shortcut.provider.__post_init__()
        request = PLACES[path](shortcut, shortcut.browser(site))
        shortcut.provider.server.on(path, FAILURES[failure])
        answer = request(headers)
        if headers is PAGE:
            assert "<html>Maintenance" not in page_of(answer)
        else:
            assert code_of(answer)
            assert "Maintenance" not in answer.text


def test_a_provider_that_is_down_is_a_page_with_a_retry(shortcut: Shortcut) -> None:
    with nobodys_port() as port:
        browser = shortcut.browser(shortcut.process(issuer=f"http://127.0.0.1:{port}"))
        answer = browser.get("/auth/login")
    page_of(answer, "not available now")
    assert answer.status == 503


def test_after_a_failure_the_login_works_again(shortcut: Shortcut) -> None:
    browser, server = shortcut.browser(), shortcut.provider.server
    server.on(CONFIGURATION, reply(502))
    page_of(browser.get("/auth/login"))
    shortcut.provider.__post_init__()
    shortcut.clock.advance(60)  # until then, a server that has failed is not asked again
    shortcut.log_in(browser)


def test_ten_logins_at_a_cold_start_fetch_metadata_and_keys_once(shortcut: Shortcut) -> None:
    site = shortcut.process()
    browsers = [shortcut.browser(site) for _ in range(10)]
    urls = at_once(10, lambda number: shortcut.begin(browsers[number]))
    responses = [urlencode(shortcut.response(url)) for url in urls]
    done = at_once(10, lambda number: browsers[number].get(f"/auth/callback?{responses[number]}"))
    assert [one.status for one in done] == [303] * 10
    assert shortcut.provider.request_count(CONFIGURATION) == 1
    assert shortcut.provider.request_count("/jwks") == 1


def test_ten_calls_with_an_expired_token_send_one_token_request(shortcut: Shortcut) -> None:
    site = shortcut.process()
    browser = shortcut.browser(site)
    shortcut.provider.server.on("/api", reply(json={"ok": True}))
    shortcut.log_in(browser)
    shortcut.clock.advance(301)
    before = shortcut.token_requests
    pages = at_once(10, lambda _: Browser(site, browser.origin, browser.jar).get("/api"))
    assert [page.json for page in pages] == [{"ok": True}] * 10
    assert shortcut.token_requests == before + 1


def test_twenty_calls_use_one_connection(shortcut: Shortcut) -> None:
    browser, server = shortcut.browser(), shortcut.provider.server
    server.on("/api", reply(json={"ok": True}))
    shortcut.log_in(browser)
    browser.get("/api")
    before = server.accepted
    for _ in range(20):
        assert browser.get("/api").json == {"ok": True}
    assert server.accepted == before
