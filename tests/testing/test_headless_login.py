"""Logging a user in without a browser window."""

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from doorkey.errors import UsageError
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.testing import Provider, client

CALLBACK = "https://app.example/cb"
EVERY = ("code", "code id_token", "id_token token")


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    ours = client("app", "app-secret", redirect_uris=[CALLBACK, "http://127.0.0.1/*"], response_types=EVERY)
    with Provider(clients=[ours]) as provider:
        yield provider


def url(provider: Provider, **changes: str) -> str:
    asked = {"client_id": "app", "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid", "state": "s"}
    return f"{provider.authorization_endpoint}?{urlencode({**asked, 'nonce': 'n', **changes})}"


def query(callback: str) -> dict[str, str]:
    assert callback.startswith(CALLBACK)
    return dict(parse_qsl(urlsplit(callback).query))


def test_a_session_logs_a_user_in_with_one_call(provider: Provider) -> None:
    with OAuth2Session("app", "app-secret", redirect_uri=CALLBACK, scope="openid profile") as session:
        address, state = session.create_authorization_url(provider.authorization_endpoint)
        callback = provider.log_in(address, "alice")
        session.fetch_token(provider.token_endpoint, authorization_response=callback, state=state)
        assert session.get(provider.userinfo_endpoint).json()["preferred_username"] == "alice"


@pytest.mark.parametrize("redirect", [CALLBACK, "http://127.0.0.1:9/cb"])
def test_the_callback_url_is_returned_and_not_visited(provider: Provider, redirect: str) -> None:
    callback = provider.log_in(url(provider, redirect_uri=redirect), "alice")
    assert callback.startswith(f"{redirect}?")
    assert {"code", "state", "iss"} <= set(dict(parse_qsl(urlsplit(callback).query)))


def test_a_form_post_becomes_the_query_of_the_callback(provider: Provider) -> None:
    callback = provider.log_in(url(provider, response_mode="form_post", response_type="code id_token"), "alice")
    assert {"code", "id_token", "state"} <= set(query(callback))


def test_a_fragment_is_a_part_of_the_callback(provider: Provider) -> None:
    callback = provider.log_in(url(provider, response_type="id_token token"), "alice")
    assert {"id_token", "access_token"} <= set(dict(parse_qsl(urlsplit(callback).fragment)))


def test_an_error_for_the_client_is_a_callback_too(provider: Provider) -> None:
    assert query(provider.log_in(url(provider, prompt="none"), "alice"))["error"] == "login_required"


def test_a_second_login_in_the_same_browser_needs_no_password(provider: Provider) -> None:
    browser = provider.browser()
    first = query(browser.log_in(url(provider), "alice", "wonderland"))
    second = query(browser.log_in(url(provider), "alice", "not needed"))
    assert (
        first["session_state"]
        == second["session_state"]
        != query(provider.log_in(url(provider), "alice"))["session_state"]
    )
    assert "Do you want to log out?" in browser.open(provider.end_session_endpoint).body.decode()


@pytest.mark.parametrize(
    ("changes", "username", "password", "message"),
    [
        ({}, "alice", "wrong", "The user name or the password is wrong"),
        ({}, "robot", None, "The user name or the password is wrong"),
        ({"client_id": "nobody"}, "alice", None, "Client not found"),
        ({}, "alic", None, "did you mean 'alice'"),
    ],
)
def test_a_login_that_fails_tells_why(
    provider: Provider, changes: dict[str, str], username: str, password: str | None, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        provider.log_in(url(provider, **changes), username, password)


def test_the_browser_visits_no_other_server(provider: Provider) -> None:
    for visit in (
        lambda: provider.log_in("https://other.example/auth", "alice"),
        lambda: provider.browser().open("http://127.0.0.1:1/"),
    ):
        with pytest.raises(UsageError, match="not a URL of this provider"):
            visit()
