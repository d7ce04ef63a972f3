"""Which responses of an API reject the token of a session: options of the session."""

from typing import Any

import pytest

from doorkey.errors import UsageError
from tests.support.every_adapter import Adapter, Client
from tests.support.hostile_server import Hostile, reply, token

INVALID = ("WWW-Authenticate", 'Bearer error="invalid_token"')


def client_of(adapter: Adapter, hostile: Hostile, **options: Any) -> Client:
    hostile.on("/token", token("at-1"), token("at-2"), token("at-3"))
    client = adapter.client("c", "s", token_endpoint=hostile.token_endpoint, **options)
    client.fetch_token()
    return client


def sent(hostile: Hostile) -> list[str | None]:
    return [request.token for request in hostile.to("/api")]


def test_the_statuses_that_reject_a_token_are_an_option(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/api", reply(419, "no"), reply(401, "no"))
    client = client_of(adapter, hostile, rejected_statuses=[403, 419])
    assert [client.get(hostile.url()).status_code for _ in range(2)] == [401, 401]
    assert sent(hostile) == ["at-1", "at-2", "at-2"]


def test_the_retry_can_be_disabled(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/api", reply(401, "no", [INVALID]))
    client = client_of(adapter, hostile, retry_rejected=False)
    assert [client.get(hostile.url()).status_code for _ in range(2)] == [401, 401]
    assert sent(hostile) == ["at-1", "at-1"]
    assert len(hostile.token_requests) == 1


def test_an_invalid_token_challenge_rejects_the_token_with_403_too(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/api", reply(403, "no", [INVALID]), reply(200))
    client = client_of(adapter, hostile)
    assert client.get(hostile.url()).status_code == 200
    assert sent(hostile) == ["at-1", "at-2"]


def test_none_stands_for_the_default(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/api", reply(401, "no"), reply(200))
    client = client_of(adapter, hostile, retry_rejected=None, rejected_statuses=None)
    assert client.get(hostile.url()).status_code == 200


@pytest.mark.parametrize(
    "wrong", [{"rejected_statuses": 401}, {"rejected_statuses": ("401",)}, {"retry_rejected": "no"}]
)
def test_a_value_that_cannot_be_is_refused(adapter: Adapter, wrong: Any) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        adapter.client("c", "s", **wrong)
