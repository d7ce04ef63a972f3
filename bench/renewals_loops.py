"""Token requests when six event loops in six threads share one client whose token has expired."""

from __future__ import annotations

import asyncio
import warnings
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from bench.peers import authlib_httpx2, token
from bench.renewals import row
from bench.row import Row
from bench.server import Served
from doorkey.integrations import httpx_client

LOOPS, TASKS = 6, 8


def measure(served: Served, _: float) -> list[Row]:
    clients = {"doorkey": httpx_client.AsyncOAuth2Client, "authlib": authlib_httpx2.AsyncOAuth2Client}
    asked = {name: _asked(served, client) for name, client in clients.items()}
    return [row(f"{LOOPS} event loops in {LOOPS} threads, {TASKS} tasks each, httpx2", asked)]


def _asked(served: Served, client: Any) -> str:
    served.token_requests()
    session = client("client", token=token(-10), token_endpoint=served.token_endpoint, timeout=10)
    start = Barrier(LOOPS)

    async def call() -> list[Any]:
        start.wait()
        calls = (asyncio.wait_for(session.get(served.api), 20) for _ in range(TASKS))
        return await asyncio.gather(*calls, return_exceptions=True)

    with ThreadPoolExecutor(LOOPS) as threads, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a client is not closed if its loop has ended
        futures = [threads.submit(asyncio.run, call()) for _ in range(LOOPS)]
        outcomes = [one for future in futures for one in future.result()]
    failed = {type(one).__name__ for one in outcomes if isinstance(one, BaseException)}
    return str(served.token_requests()) + "".join(f", {name}" for name in sorted(failed))
