"""Cookies of a login as Chromium treats them: a provider that posts, several providers, and forms of other sites."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import flask
import pytest
from werkzeug.serving import make_server

from doorkey.dev import Provider, client
from doorkey.login import Login
from doorkey.login.web.providers import LoginProvider
from tests.servers.process import port_of_ones_own
from tests.support.real_providers import at_provider
from tests.support.serving_thread import serving_thread

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.support.browser_fixtures import Shots


@dataclass
class Site:
    """An application at `origin`. The provider is at 127.0.0.1, which is another site than localhost."""

    origin: str
    provider: Provider
    pages: dict[str, str]
    """What it shows at each path below `/pages/`."""


@pytest.fixture
def site() -> Iterator[Site]:
    port = port_of_ones_own()
    origin = f"http://localhost:{port}"
    callbacks = [f"{origin}/auth/callback/{name}" for name in ("usual", "posting")]
    registered = client("app", "its-secret", redirect_uris=callbacks, post_logout_redirect_uris=[f"{origin}/"])
    with Provider(clients=[registered]) as provider:
        usual = LoginProvider("usual", "app", "its-secret", issuer=provider.issuer, label="The usual one")
        posting = LoginProvider("posting", "app", "its-secret", issuer=provider.issuer, response_mode="form_post")
        login = Login(usual, posting, base_url=origin, secret="s" * 43, sessions="memory:", name="Example Shop")
        app = flask.Flask(__name__)
        login.init_app(app)
        site = Site(origin, provider, {})

        @app.get("/")
        @login.required
        def home() -> str:
            assert login.user is not None
            return f"Hello {login.user.name}"

        @app.get("/pages/<name>")
        def page(name: str) -> str:
            return site.pages[name]

        with serving_thread(make_server("127.0.0.1", port, app, threaded=True)):
            yield site


def cookies_of(page: Page, site: Site) -> list[dict[str, Any]]:
    """Return the cookies of the site, each with `sameSite`, `secure`, `httpOnly` and `value`."""
    return [dict(cookie) for cookie in page.context.cookies(site.origin)]


def log_in(page: Page, site: Site, label: str = "The usual one") -> None:
    page.goto(site.origin)
    page.get_by_role("link", name=f"Continue with {label}").click()
    at_provider(page, site.origin)
    assert page.inner_text("body") == "Hello Alice Example"


def test_a_provider_that_posts_from_another_site_finishes_the_login(chromium: Page, site: Site, shots: Shots) -> None:
    chromium.goto(site.origin)
    shots(chromium, "login-choice")
    chromium.get_by_role("link", name="Continue with posting").click()
    chromium.get_by_label("User name").fill("alice")
    chromium.get_by_label("Password").fill("wonderland")
    (pending,) = cookies_of(chromium, site)
    assert (pending["sameSite"], pending["secure"], pending["httpOnly"]) == ("None", True, True)
    chromium.get_by_role("button", name="Log in").click()
    chromium.wait_for_url(f"{site.origin}/")
    assert chromium.inner_text("body") == "Hello Alice Example"
    (session,) = cookies_of(chromium, site)
    assert (session["sameSite"], session["httpOnly"]) == ("Lax", True)


def test_a_usual_login_needs_no_cookie_that_other_sites_can_use(chromium: Page, site: Site) -> None:
    chromium.goto(f"{site.origin}/auth/login/usual")
    chromium.get_by_label("Password").wait_for()
    assert [cookie["sameSite"] for cookie in cookies_of(chromium, site)] == ["Lax"]
    at_provider(chromium, site.origin)
    assert [cookie["sameSite"] for cookie in cookies_of(chromium, site)] == ["Lax"]


def test_no_page_of_another_site_logs_the_user_out_or_in(chromium: Page, site: Site) -> None:
    log_in(chromium, site)
    session = cookies_of(chromium, site)
    elsewhere = site.origin.replace("localhost", "127.0.0.1")
    site.pages["logout"] = f"""<form method="post" action="{site.origin}/auth/logout"><button>Win</button></form>
<img src="{site.origin}/auth/logout">"""
    site.pages["callback"] = f"""<form method="post" action="{site.origin}/auth/callback/posting">
<input name="code" value="stolen"><input name="state" value="guessed"><button>Win</button></form>"""
    for name in site.pages:
        chromium.goto(f"{elsewhere}/pages/{name}")
        chromium.get_by_role("button", name="Win").click()
        chromium.wait_for_url(f"{site.origin}/**")
        chromium.goto(site.origin)
        assert chromium.inner_text("body") == "Hello Alice Example"
        assert cookies_of(chromium, site) == session


def test_a_login_that_is_begun_at_another_name_of_the_machine_moves_to_the_configured_one(
    chromium: Page, site: Site
) -> None:
    chromium.goto(site.origin.replace("localhost", "127.0.0.1") + "/auth/login/usual")
    at_provider(chromium, site.origin)
    assert chromium.inner_text("body") == "Hello Alice Example"


def test_a_callback_at_another_name_of_the_machine_explains_itself(chromium: Page, site: Site) -> None:
    elsewhere = site.origin.replace("localhost", "127.0.0.1")
    chromium.goto(f"{elsewhere}/auth/callback/usual?code=a-code&state=a-state")
    assert chromium.get_by_role("alert").inner_text()
    chromium.get_by_text("For the developer of this application").click()
    assert "localhost and 127.0.0.1 are two hosts" in chromium.inner_text("details")
