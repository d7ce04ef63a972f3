"""Requests, replies and cookies as values."""

import pytest

from doorkey.login.web.cookies import CookieRules, cookies_of
from doorkey.login.web.messages import WebReply, WebRequest, json_reply, only, redirect

NAVIGATION = (("Sec-Fetch-Mode", "navigate"), ("Accept", "text/html"))


def request_with(*headers: tuple[str, str]) -> WebRequest:
    return WebRequest("GET", "http", "localhost", "/", headers=headers)


@pytest.mark.parametrize(
    ("headers", "html"),
    [
        ((("Accept", "text/html,application/xhtml+xml;q=0.9"),), True),
        (NAVIGATION, True),
        ((("Accept", "application/json"),), False),
        ((("Accept", "*/*"),), False),
        ((), False),
        ((("accept", "text/html"), ("x-requested-with", "XMLHttpRequest")), False),
        ((("accept", "text/html"), ("sec-fetch-mode", "cors")), False),
    ],
)
def test_only_a_navigation_of_a_browser_wants_a_page(headers: tuple[tuple[str, str], ...], html: bool) -> None:
    assert request_with(*headers).wants_html is html


def test_a_repeated_parameter_has_no_single_value() -> None:
    assert only((("a", "1"), ("b", "2")), "b") == "2"
    assert only((("a", "1"), ("a", "2")), "a") is None
    assert WebRequest("GET", "http", "h", "/", "next=/x&next=/y").one("next") is None


def test_the_first_cookie_of_a_name_counts() -> None:
    headers = (("Cookie", 'a=1; b="2"; nothing; a=3'), ("cookie", "c=4"))
    assert cookies_of(headers) == {"a": "1", "b": "2", "c": "4"}


def test_cookies_over_https_belong_to_one_host() -> None:
    rules = CookieRules("doorkey", secure=True)
    assert rules.name("-x") == "__Host-doorkey-x"
    expected = "__Host-doorkey=v; Max-Age=60; Path=/; HttpOnly; SameSite=Lax; Secure"
    assert rules.set(rules.name(), "v", 60.9) == ("Set-Cookie", expected)
    assert rules.drop("n")[1] == "n=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax; Secure"


def test_cookies_over_http_have_no_prefix_that_browsers_reject() -> None:
    rules = CookieRules("doorkey", secure=False)
    assert rules.set(rules.name(), "v", 60)[1] == "doorkey=v; Max-Age=60; Path=/; HttpOnly; SameSite=Lax"


def test_only_a_cookie_for_form_post_is_sent_across_sites() -> None:
    for secure in (True, False):
        rules = CookieRules("doorkey", secure=secure)
        assert rules.set("n", "v", 60, cross_site=True)[1].endswith("SameSite=None; Secure")
        assert rules.drop("n", cross_site=True)[1].endswith("SameSite=None; Secure")


def test_the_target_of_a_request_is_encoded() -> None:
    assert WebRequest("GET", "http", "h", "/a b/ü@x", "c=%20d").target == "/a%20b/%C3%BC@x?c=%20d"
    assert WebRequest("GET", "http", "h", "/100%").target == "/100%25"


def test_no_cache_keeps_a_reply() -> None:
    for reply in (redirect("/x"), json_reply(200, {})):
        assert reply.header("cache-control") == "no-store"


def test_reprs_show_no_cookie_and_no_query() -> None:
    request = WebRequest("GET", "https", "h", "/cb", "code=SECRET", (("Cookie", "a=SECRET"),))
    assert "SECRET" not in repr(request)
    assert "SECRET" not in repr(WebReply(303, (("Set-Cookie", "a=SECRET"),), b"SECRET"))
    assert request.target == "/cb?code=SECRET"
    assert request.origin == "https://h"
    assert request.header("missing") is None
