"""A login in each framework: begun in a browser, finished in the same one."""

from urllib.parse import urlencode

import pytest

from doorkey.stores import MemoryStore
from doorkey.testing import Provider
from tests.support.login_application import LOCAL, PUBLIC, SECRET, MakeSite
from tests.support.login_browser import Browser
from tests.support.login_sites import BLOCKING
from tests.support.login_stores import Awaited
from tests.support.web_browser import JSON


def test_a_user_logs_in_and_is_known_to_the_application(browser: Browser, provider: Provider) -> None:
    asked = browser.get("/")
    assert (asked.status, asked.location) == (303, "/auth/login?next=%2F")
    done = browser.log_in(provider, path=asked.location)
    assert (done.status, done.location) == (303, "/"), done.text
    home = browser.get("/").json
    assert home["name"] == "Alice Example"
    assert browser.get("/orders").json == {"sub": home["sub"]}
    assert browser.get("/open").json == {"sub": home["sub"]}


def test_after_the_login_the_user_is_where_they_wanted_to_go(browser: Browser, provider: Provider) -> None:
    asked = browser.get("/orders?page=2&sort=a%26b")
    assert browser.log_in(provider, path=asked.location).location == "/orders?page=2&sort=a%26b"


def test_a_request_that_is_not_for_a_page_is_answered_with_401_and_a_challenge(browser: Browser) -> None:
    for target in ("/", "/orders", "/auth/me"):
        reply = browser.get(target, JSON)
        assert reply.status == 401
        assert reply.header("WWW-Authenticate") == 'Cookie realm="login", form-action="/auth/login"'
        assert reply.json["error"] == "login_required"
        assert reply.header("Cache-Control") == "no-store"
    posted = browser.post("/orders", headers=JSON)
    assert (posted.status, posted.json["login_url"]) == (401, "/auth/login")


def test_a_posted_form_without_a_user_leads_to_the_login(browser: Browser) -> None:
    reply = browser.post("/orders")
    assert (reply.status, reply.location) == (303, "/auth/login")


@pytest.mark.parametrize("mode", ["cors", "no-cors", "same-origin"])
def test_a_script_or_an_image_begins_no_login(browser: Browser, mode: str) -> None:
    reply = browser.get("/auth/login", {"Accept": "text/html", "Sec-Fetch-Mode": mode})
    assert (reply.status, reply.json["login_url"]) == (403, "/auth/login")
    assert reply.cookies == []


def test_a_page_that_needs_no_user_has_none(browser: Browser) -> None:
    assert browser.get("/open").json == {"sub": None}


def test_me_tells_a_script_who_the_user_is(browser: Browser, provider: Provider) -> None:
    browser.log_in(provider)
    me = browser.get("/auth/me", JSON)
    assert me.status == 200
    assert me.json["claims"]["email"] == "alice@example.org"
    assert (me.json["iss"], me.json["sub"]) == (provider.issuer, browser.get("/").json["sub"])
    assert me.json["csrf_token"] == browser.get("/").json["csrf"]
    assert "token" not in me.json["claims"]
    assert me.header("Cache-Control") == "no-store"


def test_the_users_client_sends_the_users_token(browser: Browser, provider: Provider) -> None:
    browser.log_in(provider)
    assert browser.get("/api").json["email"] == "alice@example.org"


def test_state_nonce_and_pkce_are_always_sent(browser: Browser) -> None:
    url = browser.get("/auth/login").location
    for parameter in ("state=", "nonce=", "code_challenge=", "code_challenge_method=S256"):
        assert parameter in url


def test_the_cookie_of_the_session_is_an_opaque_id(browser: Browser, provider: Provider) -> None:
    done = browser.log_in(provider)
    (session,) = browser.cookies_of().values()
    assert len(session) >= 32
    (cookie,) = [one for one in done.cookies if f"doorkey={session};" in one]
    assert {"Max-Age=43200", "Path=/", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))


def test_over_https_the_cookies_belong_to_one_host(make_site: MakeSite, provider: Provider) -> None:
    browser = Browser(make_site(base_url=PUBLIC), PUBLIC)
    browser.log_in(provider)
    assert list(browser.cookies_of()) == ["__Host-doorkey"]
    assert browser.get("/").status == 200


def test_the_id_of_the_session_is_renewed_at_each_login(browser: Browser, provider: Provider) -> None:
    browser.log_in(provider)
    first = browser.cookies_of()["doorkey"]
    browser.log_in(provider, "bob")
    assert browser.cookies_of()["doorkey"] != first
    assert browser.get("/").json["name"] == "Bob Example"
    thief = Browser(browser.site, more={"Cookie": f"doorkey={first}"})
    assert thief.get("/", JSON).status == 401


def test_an_id_that_the_site_did_not_choose_is_no_session(browser: Browser, provider: Provider) -> None:
    chosen = "A" * 43
    browser.jar["127.0.0.1"] = {}
    fixed = Browser(browser.site, more={"Cookie": f"doorkey={chosen}"})
    begun = Browser(browser.site)
    begun.keep(LOCAL, f"doorkey={chosen}; Path=/; HttpOnly; SameSite=Lax")
    assert begun.get("/", JSON).status == 401
    begun.log_in(provider)
    assert begun.cookies_of()["doorkey"] != chosen
    assert fixed.get("/", JSON).status == 401


def test_two_browsers_are_two_users(browser: Browser, provider: Provider) -> None:
    other = Browser(browser.site)
    begun = browser.get("/auth/login"), other.get("/auth/login")
    browser.get(provider.log_in(begun[0].location, "alice"))
    other.get(provider.log_in(begun[1].location, "bob"))
    assert browser.get("/").json["name"] == "Alice Example"
    assert other.get("/").json["name"] == "Bob Example"
    assert browser.get("/api").json["email"] == "alice@example.org"
    assert other.get("/api").json["email"] == "bob@example.org"


def test_two_tabs_log_in_in_any_order(browser: Browser, provider: Provider) -> None:
    first, second = browser.get("/auth/login?next=/a"), browser.get("/auth/login?next=/b")
    assert browser.get(provider.log_in(second.location, "alice")).location == "/b"
    assert browser.get(provider.log_in(first.location, "alice")).location == "/a"


def test_of_many_abandoned_logins_the_oldest_are_dropped(browser: Browser, provider: Provider) -> None:
    urls = [browser.get("/auth/login?next=/" + "n" * 300).location for _ in range(200)]
    cookies = browser.cookies_of()
    assert sum(len(name) + len(value) + 2 for name, value in cookies.items()) < 6000
    assert len(cookies) >= 3
    assert browser.get(provider.log_in(urls[-1], "alice")).status == 303
    late = browser.get(provider.log_in(urls[0], "alice"))
    assert late.status == 400
    assert "did not send the cookie" in late.text


def test_an_anonymous_request_writes_nothing_to_the_store(
    make_site: MakeSite, framework: str, provider: Provider
) -> None:
    store = MemoryStore()
    browser = Browser(make_site(sessions=store if framework in BLOCKING else Awaited(store), secret=SECRET))
    for target in ("/", "/auth/login", "/auth/me", "/auth/logout", "/auth/callback?state=x&code=y", "/auth/nothing"):
        browser.get(target)
    assert not store._entries


@pytest.mark.parametrize(
    "route", ["", "nothing", "login/other", "callback/other", "logout/login", "me/login", "login/a/b"]
)
def test_an_unknown_route_is_404(browser: Browser, route: str) -> None:
    assert browser.get(f"/auth/{route}").status == 404


def test_a_method_that_a_route_does_not_have_is_405(browser: Browser) -> None:
    for route in ("login", "me"):
        reply = browser.post(f"/auth/{route}")
        assert (reply.status, reply.header("Allow")) == (405, "GET")
    assert browser.get("/auth/backchannel-logout").status == 405


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "https:evil.example",
        "https://evil.example",
        "/%2f/evil",
        "/a\t/evil",
        "/@e",
    ],
)
def test_after_a_login_nobody_is_sent_to_another_site(browser: Browser, provider: Provider, target: str) -> None:
    done = browser.log_in(provider, path=f"/auth/login?{urlencode({'next': target})}")
    assert done.location == "/"


def test_the_login_begins_at_the_host_of_the_base_url(make_site: MakeSite, provider: Provider) -> None:
    browser = Browser(make_site(base_url=LOCAL), "http://localhost:8000")
    moved = browser.get("/auth/login?next=/orders")
    assert moved.location == f"{LOCAL}/auth/login?next=/orders&moved=1"
    done = browser.log_in(provider, path=moved.location)
    assert done.location == "/orders"
    browser.origin = LOCAL
    assert browser.get("/").status == 200
