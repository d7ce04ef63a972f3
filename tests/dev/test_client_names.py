"""The names of clients on the pages of the provider: with their IDs, escaped, and of bounded length."""

from collections.abc import Iterator

import pytest
import requests

from doorkey.dev import Provider, client
from doorkey.dev.account_pages import account_page, consent_page
from doorkey.dev.client_names import MAX_NAME, ClientNames, shown_name
from doorkey.dev.device_pages import device_page
from doorkey.dev.pages import login_page
from doorkey.registration import register_client
from doorkey.server.endpoints.account import Account
from doorkey.server.endpoints.consent import ConsentNeeded
from doorkey.server.endpoints.device_question import DeviceQuestion
from doorkey.server.endpoints.login import LoginNeeded
from doorkey.server.model import Consent, Grant, Session
from doorkey.wire.messages import Response
from tests.recordings.realm import Realm
from tests.servers.browser import Browser, forms
from tests.servers.handle import CALLBACK
from tests.support.page_reading import Page

URL = "http://127.0.0.1:1/x"
HOSTILE = "<img src=x onerror=alert(1)>"
NAMED = client("photo-printer", client_name="Photo Printer", require_consent=True)
SESSION = Session("id", "sub", 0.0, 0.0, (Grant("g", "app", ()),))
CONSENT = ConsentNeeded("id", "csrf", "app", "alice", ("openid",), "key")
DEVICE = DeviceQuestion("csrf", "BCDFGHJK", "app", "alice", ("openid",), "key")
ACCOUNT = Account("csrf", "alice", SESSION, (), (Consent("app", ("openid",), 0.0),))


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider(clients=[NAMED]) as provider:
        yield provider


def pages(names: ClientNames) -> list[Response]:
    """Each page that shows the client `app`."""
    return [
        login_page(LoginNeeded("id", "csrf", "b", "app"), names, URL, "master"),
        consent_page(CONSENT, names, URL, URL),
        device_page(DEVICE, names, URL),
        account_page(ACCOUNT, names, URL, URL, 0.0),
    ]


@pytest.mark.parametrize("number", range(4), ids=["login", "consent", "device", "account"])
def test_each_page_shows_the_name_escaped_and_the_id(number: int) -> None:
    read = Page(pages(ClientNames({"app": HOSTILE}))[number].body.decode())
    assert not read.all("img")
    assert HOSTILE in read.text
    assert "app" in read.text.replace(HOSTILE, "")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (None, ""),
        (" \t\n ", ""),
        ("Photo\n  Printer ", "Photo Printer"),
        ("x" * 200, "x" * MAX_NAME + "…"),
        ("a\u202eb\u200bc", "a\\u202eb\\u200bc"),
    ],
)
def test_a_name_is_one_short_line_without_invisible_characters(name: str | None, shown: str) -> None:
    assert shown_name(name) == shown


def test_the_pages_from_the_login_to_the_account_show_the_registered_name(provider: Provider) -> None:
    with Browser("keycloak") as browser:
        login = browser.session.get(Realm(provider.origin).authorization_url(client_id="photo-printer"))
        assert "You will go on to Photo Printer (client ID photo-printer)." in Page(login.text).text
        (form,) = forms(login.text, login.url)
        consent = browser.session.post(form.action, {**form.fields, "username": "alice", "password": "wonderland"})
        read = Page(consent.text)
        assert read.texts["h1"] == ["Allow Photo Printer?"]
        assert "Photo Printer (client ID photo-printer) wants to use your account alice." in read.text
        (form,) = forms(consent.text, consent.url)
        fields = {**form.fields, "accept": "Yes"}
        answer = browser.session.post(form.action, fields, allow_redirects=False)
        assert answer.headers["location"].startswith(CALLBACK)
        account = Page(browser.session.get(f"{provider.issuer}/account").text)
        assert "Used by Photo Printer (photo-printer)" in account.text
        assert "Revoke: Photo Printer (photo-printer)" in [tag.get("aria-label") for tag in account.all("button")]


def test_a_client_that_registered_itself_has_its_name_and_its_id_on_the_page(
    provider: Provider, http: requests.Session
) -> None:
    registered = register_client(provider.issuer, redirect_uris=[CALLBACK], client_name="Your Bank")
    read = Page(http.get(Realm(provider.origin).authorization_url(client_id=registered.client_id)).text)
    assert f"Your Bank (client ID {registered.client_id})" in read.text
