"""Token requests when 1000 tasks of one event loop share a client whose token has expired."""

from __future__ import annotations

import asyncio
from typing import Any

from bench.peers import authlib_httpx2, token
from bench.renewals import row
from bench.row import Row
from bench.server import Served
from doorkey.integrations import httpx_client

TASKS = 1000


def measure(served: Served, _: float) -> list[Row]:
    clients = {"doorkey": httpx_client.AsyncOAuth2Client, "authlib": authlib_httpx2.AsyncOAuth2Client}
    asked = {name: asyncio.run(_asked(served, client)) for name, client in clients.items()}
    return [row(f"{TASKS} tasks, httpx2", asked)]


async def _asked(served: Served, client: Any) -> str:
    served.token_requests()
    known = {"token": token(-10), "token_endpoint": served.token_endpoint, "timeout": 60}
    async with client("client", **known) as session:
        calls = [session.get(served.api) for _ in range(TASKS)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
    failed = {type(one).__name__ for one in outcomes if isinstance(one, BaseException)}
    return str(served.token_requests()) + "".join(f", {name}" for name in sorted(failed))
