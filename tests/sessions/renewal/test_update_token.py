"""`update_token` is called for every change of the token, before the new one is used."""

from typing import Any

import pytest

from doorkey.errors import OAuthError, UsageError
from tests.support.every_adapter import Adapter
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import Hostile, reply, token

OLD = {"access_token": "at-1", "refresh_token": "rt-1", "expires_at": START + 300, "expires_in": 300}


class Saved:
    """Keeps the arguments of its calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, str]]] = []

    def __call__(self, token: Any, **replaced: str) -> None:
        self.calls.append((token["access_token"], replaced))


async def nothing(token: Any, refresh_token: str | None = None, access_token: str | None = None) -> None: ...


@pytest.fixture
def saved() -> Saved:
    return Saved()


def test_update_token_gets_every_new_token_and_the_one_it_replaces(
    adapter: Adapter, hostile: Hostile, clock: Clock, saved: Saved
) -> None:
    refused = reply(400, json={"error": "invalid_grant"})
    answers = [token("at-1", refresh_token="rt-1"), token("at-2"), token("at-3", refresh_token="rt-3")]
    hostile.on("/token", *answers, refused, token("at-4"), token("at-5"))
    update_token = adapter.function(saved)
    client = adapter.client(clock=clock, update_token=update_token, token_endpoint=hostile.token_endpoint)
    client.fetch_token(username="u", password="p")
    client.refresh_token()
    clock.advance(300)
    client.ensure_active_token()
    clock.advance(300)
    client.ensure_active_token()
    clock.advance(300)
    client.ensure_active_token()
    assert saved.calls == [
        ("at-1", {}),
        ("at-2", {"refresh_token": "rt-1"}),
        ("at-3", {"refresh_token": "rt-1"}),
        ("at-4", {"access_token": "at-3"}),
        ("at-5", {"access_token": "at-4"}),
    ]


def test_a_plain_function_serves_every_client(adapter: Adapter, hostile: Hostile, clock: Clock, saved: Saved) -> None:
    hostile.on("/token", token("at-2"))
    client = adapter.client(token=OLD, clock=clock, update_token=saved, token_endpoint=hostile.token_endpoint)
    clock.advance(300)
    client.get(hostile.url())
    assert saved.calls == [("at-2", {"refresh_token": "rt-1"})]


def test_an_assigned_token_is_the_callers_own_and_not_saved(adapter: Adapter, saved: Saved) -> None:
    client = adapter.client(update_token=saved)
    client.token = {"access_token": "at-1"}
    assert saved.calls == []


@pytest.mark.parametrize("kind", ["function", "object"])
def test_an_asynchronous_callable_is_refused_by_a_client_that_blocks_at_construction(
    adapter: Adapter, kind: str
) -> None:
    class Saver:
        async def __call__(self, token: Any, **replaced: str) -> None: ...

    function: Any = {"function": nothing, "object": Saver()}[kind]
    if adapter.kind.is_async:
        adapter.client(update_token=function)
    else:
        with pytest.raises(UsageError, match="asynchronous"):
            adapter.client(update_token=function)


def test_an_asynchronous_callable_in_disguise_is_refused_when_it_is_called(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token("at-1"))

    def hidden(token: Any, **_: str) -> Any:  # says nothing of being asynchronous
        return nothing(token)

    client = adapter.client(update_token=hidden, token_endpoint=hostile.token_endpoint)
    if adapter.kind.is_async:
        client.fetch_token()
    else:
        with pytest.raises(UsageError, match="asynchronous"):
            client.fetch_token()
    assert client.access_token == "at-1"


def test_a_value_that_is_not_callable_is_refused(adapter: Adapter) -> None:
    with pytest.raises(UsageError, match="update_token"):
        adapter.client(update_token="a table")


def test_the_token_is_saved_before_any_request_carries_it(adapter: Adapter, hostile: Hostile, clock: Clock) -> None:
    hostile.on("/token", token("at-2", refresh_token="rt-2"))
    seen_at_saving: list[int] = []

    def save(token: Any, **replaced: str) -> None:
        seen_at_saving.append(len(hostile.to("/api")))

    client = adapter.client(
        token=OLD,
        clock=clock,
        update_token=adapter.function(save),
        token_endpoint=hostile.token_endpoint,
    )
    clock.advance(300)
    client.get(hostile.url())
    assert seen_at_saving == [0]
    assert [request.token for request in hostile.to("/api")] == ["at-2"]


def test_a_callback_that_calls_an_api_does_not_wait_for_itself(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    hostile.on("/token", token("at-2"))

    def save(token: Any, **replaced: str) -> Any:
        return client.native.get(hostile.url("/vault"))

    client = adapter.client(
        token=OLD,
        clock=clock,
        update_token=adapter.function(save),
        token_endpoint=hostile.token_endpoint,
    )
    clock.advance(300)
    client.get(hostile.url())
    assert [request.token for request in hostile.to("/vault")] == ["at-2"]
    assert [request.token for request in hostile.to("/api")] == ["at-2"]
    assert len(hostile.token_requests) == 1


def test_a_callback_of_the_first_fetch_may_call_an_api_too(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token("at-1"))

    def save(token: Any, **replaced: str) -> Any:
        return client.native.get(hostile.url("/vault"))

    client = adapter.client(update_token=adapter.function(save), token_endpoint=hostile.token_endpoint)
    client.fetch_token()
    assert [request.token for request in hostile.to("/vault")] == ["at-1"]


def test_the_error_of_a_failing_callback_is_raised_and_the_new_token_is_kept(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    class DatabaseIsDownError(Exception): ...

    def save(token: Any, **replaced: str) -> None:
        raise DatabaseIsDownError

    hostile.on("/token", token("at-2", refresh_token="rt-2"))
    client = adapter.client(
        token=OLD,
        clock=clock,
        update_token=adapter.function(save),
        token_endpoint=hostile.token_endpoint,
    )
    clock.advance(300)
    with pytest.raises(DatabaseIsDownError):
        client.get(hostile.url())
    assert client.token is not None
    assert client.token.refresh_token == "rt-2"
    assert hostile.to("/api") == []
    client.get(hostile.url())
    assert [request.token for request in hostile.to("/api")] == ["at-2"]
    assert len(hostile.token_requests) == 1


def test_it_is_not_called_when_the_renewal_failed(
    adapter: Adapter, hostile: Hostile, clock: Clock, saved: Saved
) -> None:
    hostile.on("/token", reply(400, json={"error": "invalid_grant"}))
    client = adapter.client(token=OLD, clock=clock, update_token=saved, token_endpoint=hostile.token_endpoint)
    clock.advance(300)
    with pytest.raises(OAuthError):
        client.get(hostile.url())
    assert saved.calls == []
