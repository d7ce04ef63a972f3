"""What logins and calls cost the provider: metadata once, one renewal, one connection."""

from __future__ import annotations

from typing import Any

from tests.login.attacks.target import CONFIGURATION, Target, at_once, logged_in
from tests.support.hostile_server import reply


def test_ten_logins_at_a_cold_start_fetch_the_metadata_once(target: Target) -> None:
    browsers = [target.browser() for _ in range(10)]  # the process has started, and has requested nothing
    urls = at_once(10, lambda number: target.begin(browsers[number]))
    assert target.provider.request_count(CONFIGURATION) == 1
    for browser, url in zip(browsers, urls, strict=True):
        logged_in(target.finish(browser, url))
    assert target.provider.request_count(CONFIGURATION) == 1
    assert target.provider.request_count("/jwks") == 1


def test_ten_logins_that_end_at_a_cold_start_fetch_the_keys_once(target: Target) -> None:
    browsers = [target.browser() for _ in range(10)]
    responses = [target.response(target.begin(browser)) for browser in browsers]
    new = target.process()
    for browser in browsers:
        browser.site = new
    for page in at_once(10, lambda number: browsers[number].get("/callback", query=responses[number])):
        logged_in(page)
    assert target.provider.request_count(CONFIGURATION) == 2
    assert target.provider.request_count("/jwks") == 1


def test_ten_calls_with_an_expired_token_send_one_token_request(target: Target) -> None:
    browser, server = target.browser(), target.provider.server
    server.on("/api", reply(json={"ok": True}))
    user = logged_in(target.log_in(browser))["user"]
    token: dict[str, Any] = target.program.tokens[user]
    target.program.tokens[user] = {**token, "expires_at": int(target.provider.clock()) - 10}
    before = len(target.token_requests)
    pages = at_once(10, lambda _: browser.get("/api"))
    assert [page.json for page in pages] == [{"status": 200, "body": {"ok": True}}] * 10
    assert [form["grant_type"] for form in target.token_requests[before:]] == ["refresh_token"]
    assert target.program.tokens[user]["refresh_token"] != token["refresh_token"]
    tokens = {request.token for request in server.to("/api")}
    assert tokens == {target.program.tokens[user]["access_token"]}


def test_twenty_calls_use_one_connection(target: Target) -> None:
    browser, server = target.browser(), target.provider.server
    server.on("/api", reply(json={"ok": True}))
    logged_in(target.log_in(browser))
    browser.get("/api")  # this one opens it
    before = server.accepted
    for _ in range(20):
        assert browser.get("/api").json["status"] == 200
    assert server.accepted == before
