"""Which responses reject a token, and whether a rejected request is sent again: options of the transport factory."""

from typing import Any

import pytest

from doorkey.errors import UsageError
from tests.httpx_transport.test_transports import NO, sent
from tests.support.every_transport import World
from tests.support.hostile_server import Hostile, reply, token
from tests.support.source_requests import CLIENT


def test_the_statuses_that_reject_a_token_are_an_option_of_the_factory(world: World, hostile: Hostile) -> None:
    hostile.on("/api", reply(419, "no"), reply(401, "no"))
    authority = world.authority(hostile, token("at-1"), token("at-2"))
    factory = world.factory(authority, rejected_statuses=(419,))
    client = world.api(hostile, factory.authenticating_transport(None, CLIENT))
    assert world.get(client).status_code == 401
    assert sent(hostile) == ["Bearer at-1", "Bearer at-2"]


def test_an_invalid_token_challenge_rejects_the_token_with_403_too(world: World, hostile: Hostile) -> None:
    hostile.on("/api", reply(403, "no", {"WWW-Authenticate": 'Bearer error="invalid_token"'}), reply(200))
    factory = world.factory(world.authority(hostile, token("at-1"), token("at-2")))
    client = world.api(hostile, factory.authenticating_transport(None, CLIENT))
    assert world.get(client).status_code == 200
    assert sent(hostile) == ["Bearer at-1", "Bearer at-2"]


def test_the_retry_is_disabled_by_an_option_of_the_factory(world: World, hostile: Hostile) -> None:
    hostile.on("/api", NO)
    factory = world.factory(world.authority(hostile, token("at-1"), token("at-2")), retry_rejected=False)
    client = world.api(hostile, factory.authenticating_transport(None, CLIENT))
    assert [world.get(client).status_code for _ in range(2)] == [401, 401]
    assert sent(hostile) == ["Bearer at-1"] * 2


@pytest.mark.parametrize("wrong", [{"rejected_statuses": 401}, {"rejected_statuses": (200,)}, {"retry_rejected": "no"}])
def test_a_factory_refuses_an_option_that_cannot_be(world: World, hostile: Hostile, wrong: Any) -> None:
    authority = world.authority(hostile, token("at-1"))
    with pytest.raises(UsageError, match=next(iter(wrong))):
        world.factory(authority, **wrong)
