"""The asynchronous clients on trio: the same calls, one renewal, and a lock holder that is canceled."""

from typing import Any

import anyio
import anyio.to_thread
import pytest

from doorkey.errors import TransportError
from doorkey.wire.limits import ExchangePolicy
from tests.support.every_adapter import KINDS
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import Endless, Held, Hostile, token

OLD = {"access_token": "at-1", "refresh_token": "rt-1", "expires_at": START - 1}

on_trio = pytest.mark.parametrize(
    "kind", [kind for kind in KINDS.values() if kind.is_async], ids=lambda kind: kind.name
)


@pytest.fixture
def anyio_backend() -> str:
    return "trio"


@on_trio
@pytest.mark.anyio
async def test_a_token_is_fetched_renewed_and_sent(kind: Any, hostile: Hostile) -> None:
    clock = Clock()
    hostile.on("/token", token("at-1", refresh_token="rt-1"), token("at-2"))
    async with kind.make("c", "s", token_endpoint=hostile.token_endpoint, clock=clock, **kind.defaults) as client:
        await client.fetch_token()
        clock.advance(300)
        assert (await client.get(hostile.url())).status_code == 200
    assert [request.token for request in hostile.to("/api")] == ["at-2"]


@on_trio
@pytest.mark.anyio
async def test_many_tasks_make_one_request(kind: Any, hostile: Hostile) -> None:
    held = Held(token("at-2"))
    hostile.on("/token", held)
    statuses: list[int] = []
    async with kind.make(
        "c", token=OLD, token_endpoint=hostile.token_endpoint, clock=Clock(), **kind.defaults
    ) as client:

        async def call() -> None:
            statuses.append((await client.get(hostile.url())).status_code)

        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(call)
            await anyio.to_thread.run_sync(held.wait_for_arrival)
            await anyio.wait_all_tasks_blocked()
            held.release.set()
    assert statuses == [200] * 20
    assert len(hostile.token_requests) == 1


@on_trio
@pytest.mark.anyio
async def test_the_refresh_of_a_canceled_lock_holder_is_kept(kind: Any, hostile: Hostile) -> None:
    held = Held(token("at-2", refresh_token="rt-2"))
    hostile.on("/token", held)
    async with kind.make(
        "c", token=OLD, token_endpoint=hostile.token_endpoint, clock=Clock(), **kind.defaults
    ) as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.get, hostile.url("/leader"))
            await anyio.to_thread.run_sync(held.wait_for_arrival)
            tasks.cancel_scope.cancel()
            held.release.set()
        assert (await client.get(hostile.url())).status_code == 200
    assert len(hostile.token_requests) == 1
    assert [request.token for request in hostile.to("/api")] == ["at-2"]


@on_trio
@pytest.mark.anyio
async def test_a_drip_does_not_extend_the_deadline(kind: Any, hostile: Hostile) -> None:
    drip = Endless(b"HTTP/1.1 200 OK\r\n\r\n", b" ", pause=0.02)
    hostile.on("/token", drip)
    policy = ExchangePolicy(deadline=0.15)
    async with kind.make("c", token_endpoint=hostile.token_endpoint, exchange=policy, **kind.defaults) as client:
        with pytest.raises(TransportError):
            await client.fetch_token()
    await anyio.to_thread.run_sync(hostile.wait_until_left)
