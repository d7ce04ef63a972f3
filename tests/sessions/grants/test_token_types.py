"""The option `token_types=`: the meaning of a `token_type` that only one server uses."""

from collections.abc import Mapping
from typing import Any

import pytest

from doorkey.errors import InvalidResponse, UsageError
from tests.support.every_adapter import Adapter
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import Hostile, token

TYPES = {"User": "bearer"}
OLD = {"access_token": "at-1", "token_type": "user", "refresh_token": "rt-1", "expires_at": START - 1}


def sent_to_the_api(hostile: Hostile) -> list[str | None]:
    return [request.header("Authorization") for request in hostile.to("/api")]


def test_a_session_sends_a_token_of_the_named_type_as_bearer(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token("at-1", token_type="user"))
    client = adapter.client("c", "s", token_endpoint=hostile.token_endpoint, token_types=TYPES)
    got = client.fetch_token()
    client.get(hostile.url())
    assert (got["token_type"], got.token_type) == ("user", "Bearer")
    assert sent_to_the_api(hostile) == ["Bearer at-1"]


def test_a_session_that_restores_such_a_token_sends_it_and_renews_it(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token("at-2", token_type="USER"))
    clock = Clock()
    usable = {**OLD, "expires_at": START + 3600}
    client = adapter.client(
        "c", "s", token=usable, token_endpoint=hostile.token_endpoint, token_types=TYPES, clock=clock
    )
    client.get(hostile.url())
    clock.advance(3600)
    client.get(hostile.url())
    client.token = usable
    kept = client.token
    assert kept is not None
    assert kept.token_type == "Bearer"
    assert sent_to_the_api(hostile) == ["Bearer at-1", "Bearer at-2"]


def test_a_token_that_another_session_read_gets_the_type_that_this_one_names(
    adapter: Adapter, hostile: Hostile
) -> None:
    other = adapter.client("c", "s", token={"access_token": "at-1", "token_type": "user"})
    client = adapter.client("c", "s", token=other.token, token_types=TYPES)
    client.get(hostile.url())
    assert sent_to_the_api(hostile) == ["Bearer at-1"]


def test_a_token_in_a_fragment_may_be_of_the_named_type(adapter: Adapter) -> None:
    client = adapter.client("c", state="s", redirect_uri="https://app.example/", token_types=TYPES)
    got = client.fetch_token(
        authorization_response="https://app.example/#access_token=at-1&token_type=user&state=s",
    )
    assert got.token_type == "Bearer"


@pytest.mark.parametrize("types", [None, {"other": "Bearer"}], ids=["none", "another"])
def test_a_type_that_is_not_named_is_refused_and_the_error_names_the_option(
    adapter: Adapter, hostile: Hostile, types: Mapping[str, str] | None
) -> None:
    hostile.on("/token", token("at-1", token_type="user"))
    client = adapter.client("c", "s", token_endpoint=hostile.token_endpoint, token_types=types)
    with pytest.raises(InvalidResponse, match="token_types="):
        client.fetch_token()
    assert client.token is None


@pytest.mark.parametrize("wrong", [{"user": "mac"}, {"": "Bearer"}, {"user": 1}, ["user"], "user"], ids=str)
def test_a_meaning_that_is_not_known_is_refused_at_construction(adapter: Adapter, wrong: Any) -> None:
    with pytest.raises(UsageError, match="token_types"):
        adapter.client("c", "s", token_types=wrong)


def test_the_meaning_of_a_known_type_cannot_be_changed(adapter: Adapter, hostile: Hostile) -> None:
    bound = {"access_token": "at-1", "token_type": "DPoP"}
    client = adapter.client("c", "s", token=bound, token_types={"dpop": "Bearer"})
    with pytest.raises(UsageError, match="is not sent as Bearer"):
        client.get(hostile.url())
    assert sent_to_the_api(hostile) == []
