"""The pages of the login in Chromium: each error states the cause and the fix to the user and to the developer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from doorkey.errors import OAuthError, TransportError, UsageError
from doorkey.login.django.errors import NoAccount
from doorkey.login.errors import LoginError, LoginRefused, OtherHost
from doorkey.login.web.errors import WrongAddress
from doorkey.login.web.messages import WebReply, WebRequest
from doorkey.login.web.replies import error_reply, logout_reply

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.support.browser_fixtures import Shots

PAGE = WebRequest("GET", "http", "127.0.0.1:8000", "/auth/callback", headers=(("Sec-Fetch-Mode", "navigate"),))
PROXY = "Behind a reverse proxy, use ProxyFix (Flask), --proxy-headers (uvicorn) or SECURE_PROXY_SSL_HEADER (Django)."


def kinds(of: type[LoginError] = LoginError) -> Iterator[type[LoginError]]:
    for kind in of.__subclasses__():
        yield kind
        yield from kinds(kind)


ERRORS: dict[str, OAuthError] = {
    **{kind.code.replace("_", "-"): kind() for kind in kinds()},
    NoAccount.code.replace("_", "-"): NoAccount(),
    "login-refused-with-words": LoginRefused("access_denied", '<script>alert("no")</script> ' + "x" * 400),
    "other-host-with-names": OtherHost("localhost:8000", "127.0.0.1:8000"),
    "wrong-address-with-setting": WrongAddress(for_developers=PROXY),
    "provider-down": TransportError("the server at https://login.example did not answer"),
    "not-set-up": UsageError("DOORKEY_ISSUER is not set"),
}


def show(page: Page, reply: WebReply) -> None:
    page.set_content(reply.body.decode())


@pytest.mark.parametrize("name", ERRORS)
def test_each_error_of_a_login_has_an_accessible_page(chromium: Page, shots: Shots, name: str) -> None:
    error = ERRORS[name]
    reply = error_reply(error, PAGE, retry_path="/auth/login", site="Example Shop")
    assert reply.status >= 400
    show(chromium, reply)
    heading, alert = chromium.get_by_role("heading", level=1), chromium.get_by_role("alert")
    assert heading.inner_text()
    assert alert.inner_text()
    assert chromium.locator("main > p").nth(1).inner_text()  # the fix
    assert chromium.get_by_role("link", name="Try again").get_attribute("href") == "/auth/login"
    shots(chromium, f"login-{name}")


def test_the_page_names_the_cause_and_the_setting_of_the_framework(chromium: Page) -> None:
    show(chromium, error_reply(ERRORS["wrong-address-with-setting"], PAGE, retry_path=None))
    chromium.get_by_text("For the developer of this application").click()
    assert chromium.get_by_text("SECURE_PROXY_SSL_HEADER").is_visible()


def test_the_page_before_a_logout_is_accessible(chromium: Page, shots: Shots) -> None:
    show(chromium, logout_reply("/auth/logout", "a-token", "Example Shop"))
    shots(chromium, "login-logout")
    show(chromium, logout_reply("/auth/logout", "a-token", "Example Shop", "The request came from another site."))
    shots(chromium, "login-logout-forged")
