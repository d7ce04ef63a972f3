"""The pages of the embedded provider in Chromium, from the login to the logout, also where scripts are off."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

import pytest

from doorkey.dev import Provider, client
from doorkey.protocol.pkce import challenge_of
from tests.support.serving_thread import serving_thread

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.support.browser_fixtures import Shots

APP = "<!DOCTYPE html><html lang=en><title>app</title><main><h1>The application</h1></main>"


class Application:
    """An application on loopback that shows the same page at every path, and keeps what it was posted."""

    def __init__(self) -> None:
        self.posted: list[dict[str, str]] = []
        application = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(APP.encode())

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                application.posted.append(dict(parse_qsl(body.decode())))
                self.do_GET()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Print nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def application() -> Iterator[Application]:
    application = Application()
    with serving_thread(application.server):
        yield application


@pytest.fixture
def provider(application: Application) -> Iterator[Provider]:
    careful = client(
        "photo-printer",
        client_name="Photo Printer",
        require_consent=True,
        post_logout_redirect_uris=[application.url + "/bye"],
        frontchannel_logout_uri=application.url + "/frontchannel",
    )
    with Provider(clients=[careful, client("calendar")]) as provider:
        yield provider


def authorization_url(provider: Provider, application: Application, **changes: str) -> str:
    parameters = {
        "response_type": "code",
        "client_id": "photo-printer",
        "redirect_uri": application.url + "/cb",
        "scope": "openid profile email offline_access scope-1",
        "state": "a-state",
        "code_challenge": challenge_of("v" * 43),
        "code_challenge_method": "S256",
        **changes,
    }
    return f"{provider.authorization_endpoint}?{urlencode(parameters)}"


def log_in(page: Page, password: str = "wonderland") -> None:
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def test_every_page_from_the_login_to_the_logout_is_accessible(
    chromium: Page, shots: Shots, provider: Provider, application: Application
) -> None:
    chromium.goto(authorization_url(provider, application))
    shots(chromium, "provider-login")
    log_in(chromium, "wrong")
    shots(chromium, "provider-login-failed")
    log_in(chromium)
    shots(chromium, "provider-consent")
    chromium.get_by_role("button", name="Allow", exact=True).click()
    chromium.wait_for_url(application.url + "/cb?*code=*")
    chromium.goto(authorization_url(provider, application))  # the consent is remembered
    chromium.wait_for_url(application.url + "/cb?*code=*")
    other = chromium.context.browser
    assert other is not None
    second = other.new_context().new_page()  # a second session of the same user
    second.goto(provider.issuer + "/account")
    log_in(second)
    second.close()
    chromium.goto(provider.issuer + "/account")
    shots(chromium, "provider-account")
    chromium.get_by_role("button", name="End all other sessions").click()
    assert chromium.get_by_role("button", name="End").count() == 1
    chromium.get_by_role("button", name="Revoke: Photo Printer (photo-printer)").click()
    chromium.get_by_text("You have allowed no application anything.").wait_for()
    chromium.get_by_role("link", name="Log out").click()
    shots(chromium, "provider-logout")
    chromium.get_by_role("button", name="Log out").click()
    shots(chromium, "provider-logged-out")
    chromium.goto(authorization_url(provider, application, redirect_uri="https://elsewhere.example/"))
    shots(chromium, "provider-error")


def test_the_login_form_works_with_the_keyboard_alone(
    chromium: Page, provider: Provider, application: Application
) -> None:
    chromium.goto(authorization_url(provider, application, client_id="calendar"))
    chromium.locator("#username:focus").wait_for()  # the first field gets the focus
    chromium.keyboard.type("alice")
    chromium.keyboard.press("Tab")
    chromium.keyboard.type("wonderland")
    chromium.keyboard.press("Enter")
    chromium.wait_for_url(application.url + "/cb?*code=*")


def test_form_post_goes_on_by_itself(chromium: Page, provider: Provider, application: Application) -> None:
    chromium.goto(authorization_url(provider, application, client_id="calendar", response_mode="form_post"))
    log_in(chromium)
    chromium.wait_for_url(application.url + "/cb")
    assert application.posted[0]["state"] == "a-state"


def test_a_logout_with_frames_goes_on_by_itself(chromium: Page, provider: Provider, application: Application) -> None:
    chromium.goto(authorization_url(provider, application))
    log_in(chromium)
    chromium.get_by_role("button", name="Allow", exact=True).click()
    chromium.wait_for_url(application.url + "/cb?*")
    framed: list[str] = []
    chromium.on("request", lambda request: framed.append(request.url))
    bye = {"client_id": "photo-printer", "post_logout_redirect_uri": application.url + "/bye", "state": "s"}
    chromium.goto(f"{provider.end_session_endpoint}?{urlencode(bye)}")
    chromium.get_by_role("button", name="Log out").click()
    chromium.wait_for_url(application.url + "/bye?state=s")
    assert any(url.startswith(application.url + "/frontchannel?") for url in framed)


def test_no_page_needs_a_script(browser_process: Browser, provider: Provider, application: Application) -> None:
    context = browser_process.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(authorization_url(provider, application, response_mode="form_post"))
    log_in(page)
    page.get_by_role("button", name="Allow", exact=True).click()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(application.url + "/cb")
    assert "code" in application.posted[0]
    bye = {"client_id": "photo-printer", "post_logout_redirect_uri": application.url + "/bye"}
    page.goto(f"{provider.end_session_endpoint}?{urlencode(bye)}")
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("link", name="Go back to the application").click()
    page.wait_for_url(application.url + "/bye")
    context.close()
