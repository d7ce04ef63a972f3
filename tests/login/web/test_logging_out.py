"""A session ends: by its user, or by the provider in the back or the front channel."""

from __future__ import annotations

import pytest

from doorkey.stores import MemoryStore
from doorkey.testing import Provider
from tests.support.login_application import LOCAL, MakeSite, login_at, registered
from tests.support.login_browser import Browser
from tests.support.login_sites import BLOCKING
from tests.support.login_stores import Awaited
from tests.support.web_browser import JSON, PAGE


def sid_of(browser: Browser) -> str:
    sid = browser.get("/auth/me", JSON).json["claims"]["sid"]
    assert isinstance(sid, str)
    return sid


def is_logged_in(browser: Browser) -> bool:
    return browser.get("/auth/me", JSON).status == 200


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def browser(make_site: MakeSite, framework: str, store: MemoryStore) -> Browser:
    return Browser(make_site(sessions=store if framework in BLOCKING else Awaited(store)))


def test_a_logout_ends_the_session_here_and_at_the_provider(
    browser: Browser, provider: Provider, store: MemoryStore
) -> None:
    browser.log_in(provider)
    old = browser.cookies_of()["doorkey"]
    done = browser.post("/auth/logout", {"csrf_token": browser.get("/").json["csrf"]})
    assert done.status == 303
    assert done.location.startswith(provider.end_session_endpoint)
    assert "id_token_hint=" in done.location
    assert browser.cookies_of() == {}
    assert not is_logged_in(Browser(browser.site, more={"Cookie": f"doorkey={old}"}))
    assert [key for key in store._entries if key.split("/")[1] in ("session", "token", "user", "sid")] == []
    back = provider.browser().log_out(done.location).redirect or ""
    assert back.partition("?")[0] == f"{LOCAL}/"


def test_a_logout_without_the_csrf_token_is_asked_about(browser: Browser, provider: Provider) -> None:
    browser.log_in(provider)
    twice = (("csrf_token", browser.get("/").json["csrf"]),) * 2
    for form in ((), (("csrf_token", "wrong"),), twice):
        page = browser.post("/auth/logout", form)
        assert page.status == 403
        assert f'value="{browser.get("/").json["csrf"]}"' in page.text
    assert browser.post("/auth/logout", headers=JSON).json["code"] == "forged_logout"
    assert is_logged_in(browser)


def test_a_form_of_another_site_does_not_delete_the_cookie_of_the_session(browser: Browser, provider: Provider) -> None:
    browser.log_in(provider)
    before = browser.cookies_of()
    for headers in (PAGE, JSON):
        assert browser.post("/auth/logout", headers=headers, cross_site=True).cookies == []
    assert browser.cookies_of() == before
    assert is_logged_in(browser)


def test_a_link_to_the_logout_asks_first(browser: Browser, provider: Provider) -> None:
    browser.log_in(provider)
    page = browser.get("/auth/logout")
    assert (page.status, 'method="post" action="/auth/logout"' in page.text) == (200, True)
    assert "frame-ancestors 'none'" in page.header("Content-Security-Policy")
    assert is_logged_in(browser)


def test_the_logout_of_a_browser_that_is_not_logged_in_changes_nothing(browser: Browser) -> None:
    assert "You are logged out" in browser.get("/auth/logout").text
    assert browser.post("/auth/logout").location == "/"


def test_a_script_logs_out_with_a_header(browser: Browser, provider: Provider) -> None:
    browser.log_in(provider)
    token = browser.get("/auth/me", JSON).json["csrf_token"]
    done = browser.post("/auth/logout", headers={**JSON, "X-CSRF-Token": token})
    assert done.status == 200
    assert done.json["logout_url"].startswith(provider.end_session_endpoint)
    assert not is_logged_in(browser)


def test_a_logout_token_ends_every_session_with_its_sid_and_is_accepted_once(
    browser: Browser, provider: Provider
) -> None:
    browser.log_in(provider)
    other = Browser(browser.site)
    other.log_in(provider)
    token = provider.logout_token(client_id="web-app", sid=sid_of(browser))
    op = Browser(browser.site)
    done = op.post("/auth/backchannel-logout", {"logout_token": token}, JSON)
    assert (done.status, done.header("Cache-Control")) == (200, "no-store")
    assert (is_logged_in(browser), is_logged_in(other)) == (False, True)
    again = op.post("/auth/backchannel-logout", {"logout_token": token}, JSON)
    assert again.status == 400
    assert "accepted before" in again.json["error_description"]


def test_a_logout_token_with_a_subject_ends_every_session_of_the_user(browser: Browser, provider: Provider) -> None:
    browser.log_in(provider)
    tablet, bob = Browser(browser.site), Browser(browser.site)
    tablet.log_in(provider)
    bob.log_in(provider, "bob")
    token = provider.logout_token("alice", client_id="web-app")
    assert Browser(browser.site).post("/auth/backchannel-logout", {"logout_token": token}, JSON).status == 200
    assert [is_logged_in(one) for one in (browser, tablet, bob)] == [False, False, True]


def test_a_logout_token_of_another_session_or_user_ends_nothing(browser: Browser, provider: Provider) -> None:
    browser.log_in(provider)
    for token in (
        provider.logout_token(client_id="web-app", sid="unknown"),
        provider.logout_token("bob", client_id="web-app", sid=sid_of(browser)),
    ):
        assert Browser(browser.site).post("/auth/backchannel-logout", {"logout_token": token}, JSON).status == 200
    assert is_logged_in(browser)


def test_what_is_no_logout_token_is_400(browser: Browser, provider: Provider) -> None:
    browser.log_in(provider)
    good = provider.logout_token("alice", client_id="web-app")
    forms: list[list[tuple[str, str]]] = [
        [],
        [("logout_token", "")],
        [("logout_token", "not a token")],
        [("logout_token", good), ("logout_token", good)],
        [("logout_token", provider.id_token("alice", client_id="web-app"))],
        [("logout_token", provider.logout_token("alice", client_id="client-1"))],
        [("logout_token", provider.logout_token("alice", client_id="web-app", expires_in=100_000))],
        [("logout_token", provider.logout_token("alice", client_id="web-app", claims={"nonce": "n"}))],
    ]
    for form in forms:
        reply = Browser(browser.site).post("/auth/backchannel-logout", tuple(form), JSON)
        assert (reply.status, reply.header("Cache-Control")) == (400, "no-store"), form
    assert is_logged_in(browser)


def test_the_provider_ends_the_session_when_its_administrator_does(browser: Browser, provider: Provider) -> None:
    browser.log_in(provider)
    token = provider.logout_token("alice", client_id="web-app", sid=sid_of(browser))
    assert Browser(browser.site).post("/auth/backchannel-logout", {"logout_token": token}, JSON).status == 200
    assert browser.get("/").location == "/auth/login?next=%2F"


def test_a_frame_of_the_provider_ends_the_session_without_a_cookie(browser: Browser, provider: Provider) -> None:
    browser.log_in(provider)
    frame = Browser(browser.site).get(f"/auth/frontchannel-logout?iss={provider.issuer}&sid={sid_of(browser)}")
    assert frame.status == 200
    origin = provider.issuer.split("/realms")[0]
    assert frame.header("Content-Security-Policy") == f"default-src 'none'; frame-ancestors {origin}"
    assert not is_logged_in(browser)


def test_a_frame_without_parameters_ends_the_session_of_its_browser(browser: Browser, provider: Provider) -> None:
    other = Browser(browser.site)
    for one in (browser, other):
        one.log_in(provider)
    link = {**PAGE, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"}
    assert browser.get("/auth/frontchannel-logout", link).status == 200
    assert is_logged_in(browser), "a link of another site is no frame of the provider"
    assert browser.get("/auth/frontchannel-logout", {**PAGE, "Sec-Fetch-Dest": "iframe"}).status == 200
    assert [is_logged_in(one) for one in (browser, other)] == [False, True]


def test_a_frame_that_names_another_session_ends_nothing(browser: Browser, provider: Provider) -> None:
    browser.log_in(provider)
    for query in (f"iss={provider.issuer}&sid=other", "iss=https://evil.example&sid=1", "sid=1"):
        browser.get(f"/auth/frontchannel-logout?{query}")
    assert is_logged_in(browser)


def test_a_logout_at_a_provider_that_is_down_still_ends_the_session(make_site: MakeSite) -> None:
    with Provider(clients=[registered()]) as own:
        browser = Browser(make_site(login_at(own)))
        browser.log_in(own)
    done = browser.post("/auth/logout", {"csrf_token": browser.get("/").json["csrf"]})
    assert done.status == 303
    assert browser.cookies_of() == {}


@pytest.mark.parametrize("revokes", [False, True])
def test_a_logout_revokes_the_refresh_token_where_the_option_says_so(
    make_site: MakeSite, provider: Provider, revokes: bool
) -> None:
    browser = Browser(make_site(revoke_at_logout=revokes))
    browser.log_in(provider)
    provider.requests.clear()
    assert browser.post("/auth/logout", {"csrf_token": browser.get("/").json["csrf"]}).status == 303
    assert not is_logged_in(browser)
    asked = provider.requests.to("/revoke")
    assert [(one.status, "token" in one.parameters) for one in asked] == [(200, True)] * revokes


def test_a_logout_ends_the_session_also_if_the_token_cannot_be_revoked(make_site: MakeSite, provider: Provider) -> None:
    browser = Browser(make_site(revoke_at_logout=True, revocation_endpoint="http://127.0.0.1:9/revoke"))
    browser.log_in(provider)
    assert browser.post("/auth/logout", {"csrf_token": browser.get("/").json["csrf"]}).status == 303
    assert not is_logged_in(browser)
