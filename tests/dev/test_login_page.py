from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from doorkey.dev import Provider
from doorkey.dev.client_names import ClientNames
from doorkey.dev.pages import error_page, login_page
from doorkey.server.endpoints.login import LoginNeeded
from tests.recordings.realm import ALICE, Realm
from tests.servers.browser import Browser, forms
from tests.servers.handle import CALLBACK
from tests.support.page_reading import Page


@pytest.fixture
def realm(provider: Provider) -> Realm:
    return Realm(provider.origin)


def test_the_page_is_accessible(realm: Realm, http: requests.Session) -> None:
    answer = http.get(realm.authorization_url())
    page = Page(answer.text)
    assert page.all("html") == [{"lang": "en"}]
    assert page.all("title")
    assert page.all("h1")
    assert page.all("main")
    visible = [tag for tag in page.all("input") if tag["type"] != "hidden"]
    labelled = {label["for"] for label in page.all("label")}
    assert {tag["id"] for tag in visible} == labelled == {"username", "password"}
    assert {tag["autocomplete"] for tag in visible} == {"username", "current-password"}
    assert page.all("button") == [{"type": "submit"}]
    assert "public-native" in page.text
    assert not page.all("script")
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_wrong_password_is_an_alert_and_the_name_is_kept(realm: Realm, http: requests.Session) -> None:
    form = forms(http.get(realm.authorization_url()).text, realm.origin)[0]
    answer = http.post(form.action, {**form.fields, "username": 'al"ice', "password": "<wrong>"})
    page = Page(answer.text)
    assert [tag.get("role") for tag in page.all("p") if "role" in tag] == ["alert"]
    username = next(tag for tag in page.all("input") if tag.get("id") == "username")
    assert (username["value"], username["aria-describedby"]) == ('al"ice', "problem")
    assert "wrong&gt;" not in answer.text


def test_what_a_page_shows_is_escaped() -> None:
    needed = LoginNeeded("id", "csrf", "browser", '<b id="x">', username="</form><script>")
    for text in (login_page(needed, ClientNames(), 'http://x/"><i>', "master").body, error_page("<b>", 400).body):
        assert b"<b" not in text.replace(b"<body>", b"").replace(b"<button", b"")
        assert b"<i>" not in text
        assert b"<script" not in text


def test_a_real_login_ends_at_the_callback_and_the_code_gives_tokens(realm: Realm) -> None:
    tokens = realm.tokens(realm.code_form())
    userinfo = realm.get(realm.endpoint("userinfo"), tokens["access_token"]).json()
    assert userinfo["preferred_username"] == "alice"


def test_a_loopback_callback_may_have_any_port(realm: Realm) -> None:
    callback = "http://127.0.0.1:54321/any/path"
    with Browser("keycloak") as browser:
        brought = browser.authorize(realm.authorization_url(redirect_uri=callback), callback)
    assert "code" in parse_qs(urlsplit(brought).query)


def test_the_second_client_of_a_browser_needs_no_password(realm: Realm) -> None:
    with Browser("keycloak") as browser:
        browser.authorize(realm.authorization_url(), CALLBACK)
        browser.password = "wrong now"
        again = browser.authorize(realm.authorization_url(client_id="client-1"), CALLBACK)
    assert "code" in parse_qs(urlsplit(again).query)


def test_an_unregistered_callback_is_an_error_page_and_no_redirect(realm: Realm, http: requests.Session) -> None:
    url = realm.authorization_url(redirect_uri="https://evil.example/cb")
    answer = http.get(url, allow_redirects=False)
    assert (answer.status_code, "location" in answer.headers) == (400, False)
    assert "alert" in answer.text
    assert "Add it to redirect_uris of the client." in answer.text  # for the developer


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(realm: Realm, http: requests.Session) -> None:
    cookie = http.get(realm.authorization_url()).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/realms/master/" in cookie


def test_logout_by_an_id_token_goes_back_to_the_client(realm: Realm) -> None:
    tokens = realm.tokens(realm.code_form())
    parameters = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": CALLBACK, "state": "s"}
    answer = realm.get(f"{realm.endpoint('logout')}?{urlencode(parameters)}")
    assert answer.headers["location"] == f"{CALLBACK}?state=s"
    refreshed = realm.token(
        {"grant_type": "refresh_token", "client_id": "public-native", "refresh_token": tokens["refresh_token"]}
    )
    assert refreshed.json()["error_description"] == "Session not active"


def test_logout_never_redirects_elsewhere(realm: Realm) -> None:
    hint = realm.alice_tokens()["id_token"]
    for parameters in (
        {"id_token_hint": hint, "post_logout_redirect_uri": "https://evil.example/"},
        {"id_token_hint": "garbage", "post_logout_redirect_uri": CALLBACK},
    ):
        assert realm.get(f"{realm.endpoint('logout')}?{urlencode(parameters)}").status_code == 400


def test_a_link_alone_does_not_log_the_user_out(realm: Realm) -> None:
    with Browser("keycloak", ALICE["username"], ALICE["password"]) as browser:
        browser.authorize(realm.authorization_url(), CALLBACK)
        question = browser.session.get(realm.endpoint("logout"))
        assert "code=" in browser.authorize(realm.authorization_url(prompt="none"), CALLBACK)
        form = forms(question.text, question.url)[0]
        forged = browser.session.post(form.action, {"csrf": "guessed"})
        assert "Do you want to log out?" in forged.text
        assert "You are logged out." in browser.session.post(form.action, form.fields).text
        assert "error=login_required" in browser.authorize(realm.authorization_url(prompt="none"), CALLBACK)
