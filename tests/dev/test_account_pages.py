"""The consent page and the account page of the provider, over its socket and as text."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from doorkey.dev import Provider, client
from doorkey.dev.account_pages import account_page, consent_page
from doorkey.dev.client_names import ClientNames
from doorkey.server.endpoints.account import Account
from doorkey.server.endpoints.consent import ConsentNeeded
from doorkey.server.model import Consent, Grant, Session
from tests.recordings.realm import Realm
from tests.servers.browser import Browser, forms
from tests.servers.handle import CALLBACK
from tests.support.page_reading import Page

HOSTILE = '"><img src=x onerror=alert(1)>'
URL = "http://127.0.0.1:1/realms/master/account"


def test_a_browser_allows_once_and_revokes_on_the_account_page() -> None:
    with Provider(clients=[client("careful", require_consent=True)]) as provider, Browser("keycloak") as browser:
        realm = Realm(provider.origin)
        url = realm.authorization_url(client_id="careful")
        assert "code" in parse_qs(urlsplit(browser.authorize(url, CALLBACK)).query)
        answer = browser.session.get(url, allow_redirects=False)
        assert answer.headers["location"].startswith(CALLBACK)  # no question
        account = browser.session.get(provider.issuer + "/account")
        assert "careful" in account.text
        revoke = next(form for form in forms(account.text, account.url) if "revoke_consent" in form.buttons)
        answer = browser.session.post(revoke.action, {**revoke.fields, **revoke.buttons})
        assert "You have allowed no application anything." in answer.text
        assert "Allow careful?" in browser.session.get(url).text
        browser.agree = False
        assert "error=access_denied" in browser.authorize(url, CALLBACK)


def test_the_account_page_asks_for_a_login_and_ends_a_session(provider: Provider) -> None:
    with Browser("keycloak") as browser:
        login = browser.session.get(provider.issuer + "/account")
        assert "You will go on to <strong>your account</strong>." in login.text
        (form,) = forms(login.text, login.url)
        page = browser.session.post(form.action, {**form.fields, "username": "alice", "password": "wonderland"})
        assert (page.status_code, page.url) == (200, provider.issuer + "/account")
        assert "You are logged in as <strong>alice</strong>" in page.text
        end = forms(page.text, page.url)[0]
        assert "You are logged out." in browser.session.post(end.action, {**end.fields, **end.buttons}).text
        assert "Log in to master" in browser.session.get(provider.issuer + "/account").text


def test_a_forged_account_form_is_an_error_page(provider: Provider, http: requests.Session) -> None:
    with Browser("keycloak") as browser:
        browser.authorize(Realm(provider.origin).authorization_url(), CALLBACK)
        answer = browser.session.post(provider.issuer + "/account", {"csrf": "guessed", "end_other_sessions": "yes"})
    assert answer.status_code == 400
    assert "This form was not made for your browser session." in answer.text


def test_a_headless_login_agrees() -> None:
    with Provider(clients=[client("careful", require_consent=True)]) as provider:
        url = Realm(provider.origin).authorization_url(client_id="careful")
        assert "code" in parse_qs(urlsplit(provider.log_in(url, "alice")).query)


@pytest.mark.parametrize("field", ["client_id", "username", "scope"])
def test_nothing_on_the_consent_page_is_reflected_unescaped(field: str) -> None:
    values = {"client_id": "app", "username": "alice", field: HOSTILE}
    needed = ConsentNeeded("id", "csrf", values["client_id"], values["username"], (values.get("scope", "openid"),), "k")
    read = Page(consent_page(needed, ClientNames(), URL, URL).body.decode())
    assert not read.all("img")
    assert HOSTILE in read.text


def test_the_consent_page_says_what_the_scopes_mean() -> None:
    needed = ConsentNeeded("id", "csrf", "app", "alice", ("openid", "email", "scope-1"), "key")
    read = Page(consent_page(needed, ClientNames(), URL, URL).body.decode())
    assert read.texts["li"] == ["Know who you are", "See your email address", "Use "]
    assert read.texts["code"] == ["scope-1"]
    assert [(tag["name"], tag["value"]) for tag in read.all("button")] == [("accept", "Yes"), ("cancel", "No")]


def test_nothing_on_the_account_page_is_reflected_unescaped_and_each_button_has_its_own_name() -> None:
    session = Session("id-1", "sub", 1000.0, 4900.0, (Grant("g", HOSTILE, ()),))
    other = Session("id-2", "sub", -172_800.0, 5030.0)
    shown = Account("csrf", HOSTILE, session, (other,), (Consent(HOSTILE, (HOSTILE,), 86400.0),))
    read = Page(account_page(shown, ClientNames(), URL, URL, 5060.0).body.decode())
    assert not read.all("img")
    assert read.text.count(HOSTILE) >= 4
    assert [tag.get("aria-label") for tag in read.all("button")] == [
        *("End: this browser", "End: session 2", None, f"Revoke: {HOSTILE}")
    ]
    assert "Started 1 hour ago, last used 2 minutes ago" in read.text
    assert "Started 2 days ago, last used just now" in read.text
    assert "Allowed on January 2, 1970" in read.text
    assert "Used by no application" in read.text


@pytest.mark.parametrize(
    ("endpoint", "parameters"),
    [
        ("authorization", {"client_id": "unknown"}),
        ("authorization", {"client_id": "public-native", "redirect_uri": "https://elsewhere.example/"}),
        ("end_session", {"client_id": "public-native", "post_logout_redirect_uri": "https://elsewhere.example/"}),
        ("end_session", {"id_token_hint": "garbage"}),
    ],
)
def test_an_error_page_tells_the_developer_what_to_change(
    provider: Provider, http: requests.Session, endpoint: str, parameters: dict[str, str]
) -> None:
    answer = http.get(getattr(provider, f"{endpoint}_endpoint"), params=parameters)
    read = Page(answer.text)
    assert answer.status_code == 400
    assert read.texts["summary"] == ["For the developer of the application"]
    assert len(read.texts["p"]) == 4  # the site, the cause, the fix, and the note
