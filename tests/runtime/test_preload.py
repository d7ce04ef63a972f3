"""Imports ahead of the first token request: in a thread of their own, once, even if all threads of the program wait."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.hostile_server import Hostile, token

ROOT = Path(__file__).resolve().parents[2]
RUN = {"asyncio": "import asyncio; asyncio.run(main())", "trio": "import trio; trio.run(main)"}

BEGINNING = """
import threading
from doorkey import AsyncTokenSource, ClientCredentials

begun, start = [], threading.Thread.start

def counted(thread):
    begun.append(thread.name)
    start(thread)

threading.Thread.start = counted
"""
BUSY_POOL = {
    "asyncio": """
import asyncio

async def main():
    async with AsyncTokenSource(ClientCredentials('c', 's'), token_endpoint=URL) as source:
        loop = asyncio.get_running_loop()
        job = lambda: asyncio.run_coroutine_threadsafe(source.token(), loop).result(60)
        tokens = await asyncio.gather(*(asyncio.to_thread(job) for _ in range(40)))
        print(len(tokens), begun.count('doorkey-imports'))
""",
    "trio": """
import trio

async def main():
    async with AsyncTokenSource(ClientCredentials('c', 's'), token_endpoint=URL) as source:
        got = []

        async def one():
            got.append(await trio.to_thread.run_sync(lambda: trio.from_thread.run(source.token)))

        async with trio.open_nursery() as tasks:
            for _ in range(40):
                tasks.start_soon(one)
        print(len(got), begun.count('doorkey-imports'))
""",
}
NO_THREADS = """
def main():
    async def work():
        async with AsyncTokenSource(ClientCredentials('c', 's'), token_endpoint=URL) as source:
            print((await source.token()).access_token.reveal())
    return work()

def refused(thread):
    if thread.name == 'doorkey-imports':
        raise RuntimeError("can't start new thread")
    start(thread)

threading.Thread.start = refused
"""


def printed(program: str, url: str) -> str:
    program = f"URL = {url!r}\n{program}"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    server = Hostile()
    server.on("/token", token("at-1"))
    yield server
    server.close()


@pytest.mark.parametrize("loop", list(RUN))
def test_a_pool_whose_threads_all_wait_for_the_first_token_gets_it(hostile: Hostile, loop: str) -> None:
    assert printed(BEGINNING + BUSY_POOL[loop] + RUN[loop], hostile.token_endpoint) == "40 1"
    assert len(hostile.token_requests) == 1


@pytest.mark.parametrize("loop", list(RUN))
def test_where_no_thread_can_be_started_the_imports_happen_in_the_loop(hostile: Hostile, loop: str) -> None:
    assert printed(BEGINNING + NO_THREADS + RUN[loop], hostile.token_endpoint) == "at-1"
