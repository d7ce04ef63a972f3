"""What a program gets wrong at first: the error says what to write instead, and nothing is sent."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from doorkey.errors import UsageError
from tests.support.every_adapter import Adapter
from tests.support.hostile_server import Hostile, reply, token

NEAR_MISSES = {
    "user": "username",
    "userName": "username",
    "usrname": "username",
    "pw": "password",
    "pwd": "password",
    "passwd": "password",
    "pass": "password",
    "passwrod": "password",
    "scopes": "scope",
    "grantType": "grant_type",
    "authorization_code": "code",
    "redirect_url": "redirect_uri",
    "token_url": "url",
    "audiences": "audience",
}


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_a_parameter_that_is_almost_right_raises_and_nothing_is_sent(
    adapter: Adapter, hostile: Hostile, name: str
) -> None:
    hostile.on("/token", token())
    client = adapter.client(token_endpoint=hostile.token_endpoint)
    with pytest.raises(UsageError, match=rf"no parameter '{name}': did you mean '{NEAR_MISSES[name]}'"):
        client.fetch_token(**{name: "hunter2"})
    assert hostile.received == []


def test_an_account_under_other_names_is_not_a_client_credentials_request(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())
    client = adapter.client(token_endpoint=hostile.token_endpoint)
    with pytest.raises(UsageError, match="username") as caught:
        client.fetch_token(user="alice", pw="hunter2")
    assert "hunter2" not in str(caught.value)
    assert hostile.received == []


def test_a_name_of_a_servers_own_is_sent_and_body_sends_any_name(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())
    client = adapter.client(token_endpoint=hostile.token_endpoint)
    client.fetch_token(tenant="one", account_id="two", body={"user": "alice", "pw": "x"})
    assert {"tenant": "one", "account_id": "two", "user": "alice", "pw": "x"}.items() <= hostile.token_requests[
        0
    ].form.items()


@pytest.mark.parametrize("call", ["refresh_token", "revoke_token", "introspect_token"])
def test_an_operation_with_a_parameter_that_is_almost_right_raises_and_nothing_is_sent(
    adapter: Adapter, hostile: Hostile, call: str
) -> None:
    hostile.on("/token", token())
    hostile.on("/operation", reply(json={"active": True}))
    client = adapter.client(
        "c",
        "s",
        token={"access_token": "at", "refresh_token": "rt"},
        token_endpoint=hostile.token_endpoint,
        revocation_endpoint=hostile.url("/operation"),
        introspection_endpoint=hostile.url("/operation"),
    )
    for name, meant in {"scopes": "scope", "tokenTypeHint": "token_type_hint", "audiences": "audience"}.items():
        with pytest.raises(UsageError, match=rf"no parameter '{name}': did you mean '{meant}'") as caught:
            getattr(client, call)(**{name: "hunter2"})
        assert "hunter2" not in str(caught.value)
    assert hostile.received == []
    getattr(client, call)(tenant="one", timeout=60)
    assert hostile.received[0].form["tenant"] == "one"
    assert "timeout" not in hostile.received[0].form


@pytest.mark.parametrize("call", ["create_authorization_url", "begin_authorization"])
def test_a_login_with_a_parameter_that_is_almost_right_raises(adapter: Adapter, call: str) -> None:
    native: Any = adapter.client(authorization_endpoint="https://as.example/authorize").native
    with pytest.raises(UsageError, match="did you mean 'redirect_uri'"):
        getattr(native, call)(redirect_url="https://rp.example/cb")
    assert "screen_hint=signup" in str(getattr(native, call)(screen_hint="signup"))


@pytest.mark.parametrize(
    ("option", "hint"),
    [
        ("token_url", "did you mean 'token_endpoint'"),
        ("auto_refresh_url", "did you mean 'token_endpoint'"),
        ("token_updater", "did you mean 'update_token'"),
        ("authorize_url", "did you mean 'authorization_endpoint'"),
        ("redirect_url", "did you mean 'redirect_uri'"),
        ("audience", r"token_params="),
        ("tls_client_auth", "token_endpoint_auth_method='tls_client_auth'.*certificate"),
    ],
)
def test_an_option_of_another_library_gets_an_accurate_hint(adapter: Adapter, option: str, hint: str) -> None:
    with pytest.raises(UsageError, match=rf"no option '{option}': .*{hint}"):
        adapter.client(**{option: "x"})


def without_replaced(token: Any) -> None: ...
def without_access_token(token: Any, refresh_token: str | None = None) -> None: ...
def with_a_name_first(name: str, token: Any, refresh_token: Any = None, access_token: Any = None) -> None: ...
def of_nothing() -> None: ...
def with_a_secret_default(token: Any, key: str = "hunter2") -> None: ...
def of_anything(*args: Any, **kwargs: Any) -> None: ...
def with_others(token: Any, refresh_token: Any = None, access_token: Any = None, more: Any = None) -> None: ...
def with_rest(token: Any, **replaced: Any) -> None: ...


@pytest.mark.parametrize(
    "wrong", [without_replaced, without_access_token, with_a_name_first, of_nothing, with_a_secret_default]
)
def test_an_update_token_that_could_not_be_called_is_refused_at_construction(
    adapter: Adapter, wrong: Callable[..., Any]
) -> None:
    session: Any = adapter.client().native
    for give in (lambda: adapter.client(update_token=wrong), lambda: setattr(session, "update_token", wrong)):
        with pytest.raises(UsageError, match=r"update_token must be a callable \(token, refresh_token=None") as caught:
            give()
        assert "hunter2" not in str(caught.value)
    assert session.update_token is None


@pytest.mark.parametrize(
    "right",
    [of_anything, with_others, with_rest, partial(with_a_name_first, "google"), dict[str, Any]().update],
    ids=["anything", "others", "rest", "partial", "builtin"],
)
def test_an_update_token_that_can_be_called_is_accepted(adapter: Adapter, right: Callable[..., Any]) -> None:
    assert adapter.client(update_token=right).native.update_token is right


def test_an_authorization_request_without_a_client_id_is_refused(adapter: Adapter) -> None:
    client = adapter.client("", authorization_endpoint="https://as.example/authorize", redirect_uri="https://c.example")
    for begin in (client.native.begin_authorization, client.native.create_authorization_url):
        with pytest.raises(UsageError, match="construct the session with client_id="):
            begin()
