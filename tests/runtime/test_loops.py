"""Which event loop runs here: of asyncio, of trio, or of trio as a guest on a loop of asyncio."""

import asyncio
import sys
import threading
from types import ModuleType
from typing import Any

import pytest
import trio

from doorkey.runtime.loops import liveness_check, running_loop, running_trio


def test_the_loop_of_a_task_of_asyncio_is_its_loop() -> None:
    async def task() -> None:
        assert running_loop() is asyncio.get_running_loop()

    asyncio.run(task())


def test_the_loop_of_a_callback_of_asyncio_is_its_loop() -> None:
    async def task() -> Any:
        seen = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(lambda: seen.set_result(running_loop()))
        return await seen is asyncio.get_running_loop()

    assert asyncio.run(task())


def test_the_loop_of_a_run_of_trio_is_its_token() -> None:
    async def task() -> None:
        assert running_loop() is trio.lowlevel.current_trio_token()

    trio.run(task)


def test_the_loop_of_a_guest_run_of_trio_is_its_own_and_not_that_of_its_host() -> None:
    async def guest() -> list[bool]:
        seen = [running_loop() is trio.lowlevel.current_trio_token()]
        await trio.lowlevel.checkpoint()
        return [*seen, running_loop() is trio.lowlevel.current_trio_token()]

    async def host() -> list[bool]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        trio.lowlevel.start_guest_run(
            guest, run_sync_soon_threadsafe=loop.call_soon_threadsafe, done_callback=done.set_result
        )
        outcome = await done
        assert running_loop() is loop
        seen: list[bool] = outcome.unwrap()
        return seen

    assert asyncio.run(host()) == [True, True]


def test_without_a_loop_there_is_none() -> None:
    with pytest.raises(RuntimeError):
        running_loop()


@pytest.mark.parametrize("name", ["asyncio", "trio"])
def test_a_library_that_another_thread_is_importing_runs_no_loop_here(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(sys.modules, name, ModuleType(name))  # as far as the import has got
    assert running_trio() is None
    assert liveness_check(threading.current_thread())()
