"""What goes wrong in a login, in each framework: one error for each cause, as a page and as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from doorkey.login import Login, LoginProvider
from doorkey.testing import Provider, user
from tests.servers.process import nobodys_port
from tests.support.fake_clock import real_time
from tests.support.login_application import LOCAL, PUBLIC, SECRET, MakeSite, login_at, registered
from tests.support.login_browser import Browser
from tests.support.login_sites import BLOCKING
from tests.support.login_stores import Awaited, Down
from tests.support.web_browser import JSON, PAGE

SETTINGS = {
    "flask": "ProxyFix",
    "django": "SECURE_PROXY_SSL_HEADER",
    **dict.fromkeys(("starlette", "fastapi"), "--proxy-headers"),
}
OTHER_SECRET = "another secret of the same length"


def code_of(browser: Browser, url: str) -> str:
    """The code of the error with which a callback is answered, after a look at the page for people."""
    other = Browser(browser.site, browser.origin, {host: dict(kept) for host, kept in browser.jar.items()})
    page = other.get(url, PAGE)
    assert page.status >= 400, page.location
    assert 'role="alert"' in page.text
    assert "frame-ancestors 'none'" in page.header("Content-Security-Policy")
    assert "Traceback" not in page.text
    told = browser.get(url, JSON)
    assert told.json["error_description"]
    assert told.json["login_url"] == "/auth/login"
    code = told.json["code"]
    assert isinstance(code, str)
    return code


def test_a_callback_in_another_browser_is_not_finished(browser: Browser, provider: Provider) -> None:
    url = provider.log_in(browser.get("/auth/login").location, "alice")
    assert code_of(Browser(browser.site), url) == "no_pending_login"
    assert browser.get(url).status == 303, "the browser that began it still can"


def test_a_callback_at_another_host_names_both(make_site: MakeSite, provider: Provider) -> None:
    browser = Browser(make_site(base_url=LOCAL), LOCAL)
    url = provider.log_in(browser.get("/auth/login").location, "alice")
    elsewhere = Browser(browser.site, "http://localhost:8000")
    page = elsewhere.get(url.replace("127.0.0.1", "localhost"))
    assert page.status == 400
    assert "127.0.0.1:8000" in page.text
    assert "localhost:8000" in page.text


def test_a_login_expires_after_ten_minutes(make_site: MakeSite, provider: Provider) -> None:
    clock = real_time()
    browser = Browser(make_site(clock=clock))
    url = provider.log_in(browser.get("/auth/login").location, "alice")
    clock.advance(601)
    assert code_of(browser, url) == "login_expired"


def test_a_session_expires(make_site: MakeSite, provider: Provider) -> None:
    clock = real_time()
    browser = Browser(make_site(clock=clock, lifetime=3600))
    browser.log_in(provider)
    clock.advance(3601)
    assert browser.get("/", JSON).status == 401


def test_a_login_is_finished_once(browser: Browser, provider: Provider) -> None:
    url = provider.log_in(browser.get("/auth/login").location, "alice")
    double = Browser(browser.site, browser.origin, {host: dict(kept) for host, kept in browser.jar.items()})
    assert browser.get(url).status == 303
    assert code_of(double, url) == "login_replayed"
    assert provider.token_requests == 1
    assert browser.get("/").status == 200
    assert code_of(browser, url) == "login_replayed", "the back button, when the cookie has been removed"
    assert browser.get("/").status == 200, "and the session is still there"


def test_a_login_that_was_begun_with_another_secret_says_so(make_site: MakeSite, provider: Provider) -> None:
    before = Browser(make_site(secret=OTHER_SECRET))
    url = provider.log_in(before.get("/auth/login").location, "alice")
    after = Browser(make_site(secret=SECRET), jar=before.jar)
    assert code_of(after, url) == "login_secret_changed"


def test_a_deploy_in_the_middle_of_a_login_does_not_disturb_it(make_site: MakeSite, provider: Provider) -> None:
    before = Browser(make_site(secret=OTHER_SECRET))
    url = provider.log_in(before.get("/auth/login").location, "alice")
    after = Browser(make_site(secret=[SECRET, OTHER_SECRET]), jar=before.jar)
    assert after.get(url).status == 303


def test_the_provider_refuses_a_login(browser: Browser, provider: Provider) -> None:
    begun = browser.get("/auth/login").location
    state = parse_qs(urlsplit(begun).query)["state"][0]
    query = {"error": "access_denied", "error_description": "<b>no</b>", "state": state, "iss": provider.issuer}
    page = browser.get(f"/auth/callback?{urlencode(query)}")
    assert page.status == 403
    assert "&lt;b&gt;no" in page.text
    assert "<b>no" not in page.text
    assert provider.token_requests == 0
    assert browser.cookies_of() == {}, "the login is used up"


def test_an_error_without_the_state_of_a_login_uses_up_none(browser: Browser, provider: Provider) -> None:
    url = provider.log_in(browser.get("/auth/login").location, "alice")
    for query in ("", "error=access_denied", "error=access_denied&state=x", "code=c&state=x", "state=a&state=b&code=c"):
        assert browser.get(f"/auth/callback?{query}").status == 400
    assert browser.get(url).status == 303


def test_a_wrong_client_secret_is_named(make_site: MakeSite, provider: Provider) -> None:
    browser = Browser(make_site(client_secret="another-secret"))
    page = browser.get(provider.log_in(browser.get("/auth/login").location, "alice"))
    assert page.status == 502, page.text
    assert "credentials" in page.text
    assert "DOORKEY_CLIENT_SECRET" in page.text
    assert "another-secret" not in page.text


def test_a_callback_without_state_is_named(browser: Browser) -> None:
    page = browser.get("/auth/callback?code=c")
    assert page.status == 400
    assert "has no parameter state" in page.text


@pytest.mark.parametrize("iss", ["https://evil.example", ""])
def test_a_callback_of_another_issuer_sends_no_code(browser: Browser, provider: Provider, iss: str) -> None:
    url = provider.log_in(browser.get("/auth/login").location, "alice")
    wrong = re.sub(r"iss=[^&]*", urlencode({"iss": iss}), url)
    assert wrong != url
    assert browser.get(wrong, JSON).json["code"] == "verification_failed"
    assert provider.token_requests == 0
    assert browser.cookies_of() == {}, "the login is used up"


def test_a_provider_that_is_down_is_a_page_with_a_retry(make_site: MakeSite, provider: Provider) -> None:
    with nobodys_port() as port:
        browser = Browser(make_site(login_at(provider, issuer=f"http://127.0.0.1:{port}")))
        page = browser.get("/auth/login")
        told = browser.get("/auth/login", JSON)
    assert page.status == 503
    assert 'href="/auth/login"' in page.text
    assert (told.status, told.json["code"]) == (503, "transport_error")


def test_a_provider_that_goes_down_during_the_login_is_a_page_with_a_retry(make_site: MakeSite) -> None:
    with Provider(clients=[registered()]) as own:
        browser = Browser(make_site(login_at(own)))
        url = own.log_in(browser.get("/auth/login").location, "alice")
    page = browser.get(url)
    assert page.status == 503
    assert 'href="/auth/login"' in page.text


def test_a_store_that_is_down_is_a_page_with_a_retry(make_site: MakeSite, framework: str) -> None:
    down: Any = Down()
    store = down if framework in BLOCKING else Awaited(down)
    browser = Browser(make_site(sessions=store), more={"Cookie": "doorkey=" + "A" * 43})
    for target in ("/auth/login",) if framework == "django" else ("/", "/auth/login", "/auth/me"):
        page = browser.get(target)
        assert page.status == 503, target
        assert "Try again" in page.text


@pytest.fixture(params=["http", "https"])
def posting(request: pytest.FixtureRequest, make_site: MakeSite) -> Browser:
    origin = LOCAL if request.param == "http" else PUBLIC
    return Browser(make_site(base_url=origin, response_mode="form_post"), origin)


def test_a_posted_callback_finishes_the_login(posting: Browser, provider: Provider) -> None:
    begun = posting.get("/auth/login")
    assert [cookie.endswith("SameSite=None; Secure") for cookie in begun.cookies] == [True]
    url = provider.log_in(begun.location, "alice")
    form = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    done = posting.post(url.partition("?")[0], form, cross_site=True)
    assert (done.status, done.location) == (303, "/"), done.text
    assert posting.get("/").json["name"] == "Alice Example"
    assert len(posting.cookies_of()) == 1


def test_a_repeated_parameter_of_a_posted_callback_is_refused(posting: Browser, provider: Provider) -> None:
    url = provider.log_in(posting.get("/auth/login").location, "alice")
    form = [(name, value) for name, values in parse_qs(urlsplit(url).query).items() for value in values]
    code = next(pair for pair in form if pair[0] == "code")
    assert posting.post(url.partition("?")[0], (*form, code), cross_site=True).status == 400
    assert provider.token_requests == 0


def test_a_token_that_cannot_be_renewed_asks_the_user_to_log_in_again(browser: Browser, provider: Provider) -> None:
    browser.log_in(provider)
    assert browser.get("/api").status == 200
    provider.reject_refresh_tokens()
    provider.expire_access_tokens()
    script = Browser(browser.site, jar=browser.jar).get("/api", JSON)
    assert (script.status, script.json["error"]) == (401, "login_required")
    assert browser.get("/", JSON).status == 401, "the session has ended"
    assert browser.log_in(provider).status == 303
    provider.reject_refresh_tokens()
    provider.expire_access_tokens()
    assert browser.get("/api").location == "/auth/login?next=%2Fapi"


def test_a_site_behind_a_proxy_names_the_setting_of_the_framework(make_site: MakeSite, framework: str) -> None:
    browser = Browser(make_site(base_url=PUBLIC), "http://10.0.0.5:8000")
    moved = browser.get("/auth/login")
    assert moved.location == f"{PUBLIC}/auth/login?moved=1"
    page = browser.get("/auth/login?moved=1")
    assert page.status == 400
    assert SETTINGS[framework] in page.text
    assert "https://app.example" in page.text


def test_the_redirect_uri_is_that_of_the_base_url_whatever_the_host_header_is(make_site: MakeSite) -> None:
    site = make_site(base_url=PUBLIC)
    for more in ({}, {"X-Forwarded-Host": "evil.example"}, {"Forwarded": "host=evil.example"}):
        url = Browser(site, PUBLIC, more=more).get("/auth/login").location
        assert parse_qs(urlsplit(url).query)["redirect_uri"] == [f"{PUBLIC}/auth/callback"]
    elsewhere = Browser(site, "https://evil.example").get("/auth/login").location
    assert elsewhere.startswith(f"{PUBLIC}/auth/login?")


@pytest.mark.parametrize("host", ["app.example", "localhost.evil.example", "127.0.0.1.evil.example"])
def test_without_a_base_url_only_this_machine_is_an_address(make_site: MakeSite, host: str) -> None:
    page = Browser(make_site(), f"http://{host}").get("/auth/login")
    assert page.status == 400
    assert "DOORKEY_BASE_URL" in page.text


def test_a_megabyte_of_claims_reaches_no_cookie(make_site: MakeSite) -> None:
    talker = user("talker", "tick", userinfo_claims={"story": "x" * 1_000_000})
    with Provider(clients=[registered()], users=[talker]) as own:
        browser = Browser(make_site(login_at(own)))
        done = browser.log_in(own, "talker")
        assert done.status == 303, done.text
        assert sum(map(len, browser.cookies_of().values())) < 100
        assert len(browser.get("/auth/me", JSON).json["claims"]["story"]) == 1_000_000


class TestSeveralProviders:
    @pytest.fixture
    def others(self, provider: Provider) -> Iterator[tuple[Provider, Login]]:
        with Provider(clients=[registered()]) as second:
            both = [
                LoginProvider(name, "web-app", "its-secret", issuer=one.issuer, label=f"Provider {name}")
                for name, one in (("one", provider), ("two", second))
            ]
            yield second, Login(*both, sessions="memory:")

    def test_the_user_chooses_one(
        self, make_site: MakeSite, provider: Provider, others: tuple[Provider, Login]
    ) -> None:
        second, login = others
        browser = Browser(make_site(login))
        page = browser.get(browser.get("/orders").location)
        assert page.status == 200
        links = re.findall(r'href="([^"]+)"', page.text)
        assert links == ["/auth/login/one?next=%2Forders", "/auth/login/two?next=%2Forders"]
        assert "Continue with Provider two" in page.text
        assert browser.log_in(second, path=links[1]).location == "/orders"
        me = browser.get("/auth/me", JSON).json
        assert (me["provider"], me["iss"]) == ("two", second.issuer)

    def test_a_callback_of_another_provider_sends_no_code(
        self, make_site: MakeSite, provider: Provider, others: tuple[Provider, Login]
    ) -> None:
        second, login = others
        browser = Browser(make_site(login))
        url = second.log_in(browser.get("/auth/login/two").location, "alice")
        assert browser.get(url.replace("callback/two", "callback/one"), JSON).json["code"] == "other_provider"
        assert (provider.token_requests, second.token_requests) == (0, 0)

    def test_a_session_of_one_provider_is_not_ended_by_the_other(
        self, make_site: MakeSite, provider: Provider, others: tuple[Provider, Login]
    ) -> None:
        second, login = others
        browser = Browser(make_site(login))
        browser.log_in(provider, path="/auth/login/one")
        token = second.logout_token("alice", client_id="web-app")
        assert browser.post("/auth/backchannel-logout/two", {"logout_token": token}, JSON).status == 200
        assert browser.post("/auth/backchannel-logout/one", {"logout_token": token}, JSON).status == 400
        assert browser.post("/auth/backchannel-logout", {"logout_token": token}, JSON).status == 404
        assert browser.get("/auth/me", JSON).status == 200
