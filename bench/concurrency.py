"""Five concurrent slow API calls with one auth object, and the stalls of the event loop while a token is fetched."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

import httpx2

from bench import peers
from bench.names import AUTHLIB, OURS
from bench.row import Row, milliseconds
from bench.server import SLOW_SECONDS, TOKEN_SECONDS, Served
from doorkey import ClientCredentials, OAuth2Auth
from doorkey.integrations import httpx_client

CALLS, ROUNDS = 5, 10
LONGEST = 0.32
"""Seconds for all five calls: 0.3 for one call, and the overhead of the calls."""
STALL = 0.020
AUTH_OBJECT = "auth object"
CLIENT = ClientCredentials("client", "secret")


def measure(served: Served, effort: float) -> list[Row]:
    rounds = max(2, int(ROUNDS * effort))
    in_threads = _each(median, _in_threads(served, rounds))
    in_tasks = _each(median, asyncio.run(_in_tasks(served, rounds)))
    stalls = _each(min, asyncio.run(_stalls(served, rounds)))  # the stalls that the code causes are in every round
    what = f"{CALLS} API calls of {SLOW_SECONDS} s at once through one auth object, httpx2"
    fetching = f"longest stall of the event loop while a token is fetched ({TOKEN_SECONDS * 1e3:.0f} ms)"
    return [
        _row(f"{what}, {CALLS} threads", in_threads, LONGEST),
        _row(f"{what}, {CALLS} tasks", in_tasks, LONGEST),
        _row(f"{fetching}, a session's renewal", stalls, STALL),
        _row(f"{fetching}, an auth object's first", {**stalls, OURS: stalls[AUTH_OBJECT]}, STALL),
    ]


def _each(estimate: Callable[[list[float]], float], found: dict[str, list[float]]) -> dict[str, float]:
    return {name: estimate(taken) for name, taken in found.items()}


def _row(name: str, found: dict[str, float], limit: float) -> Row:
    ours, theirs = milliseconds(found[OURS]), f"{AUTHLIB} {milliseconds(found[AUTHLIB])}"
    ratio = f"{found[OURS] / found[AUTHLIB]:.2f}"
    return Row(name, ours, theirs, ratio, f"≤ {milliseconds(limit)}", found[OURS] <= limit)


def _in_threads(served: Served, rounds: int) -> dict[str, list[float]]:
    auth = OAuth2Auth(CLIENT, token_endpoint=served.token_endpoint)
    clients: dict[str, Any] = {
        OURS: httpx2.Client(auth=auth),
        AUTHLIB: peers.authlib_httpx2.OAuth2Client("client", token=peers.token()),
    }
    found: dict[str, list[float]] = {name: [] for name in clients}
    with ThreadPoolExecutor(CALLS) as threads:
        for turn in range(rounds + 1):
            for name, client in clients.items():
                begun = time.perf_counter()
                for call in [threads.submit(client.get, served.slow) for _ in range(CALLS)]:
                    call.result()
                if turn:  # the first opens connections and gets the token
                    found[name].append(time.perf_counter() - begun)
    for client in clients.values():
        client.close()
    return found


async def _in_tasks(served: Served, rounds: int) -> dict[str, list[float]]:
    auth = OAuth2Auth(CLIENT, token_endpoint=served.token_endpoint)
    clients: dict[str, Any] = {
        OURS: httpx2.AsyncClient(auth=auth),
        AUTHLIB: peers.authlib_httpx2.AsyncOAuth2Client("client", token=peers.token()),
    }
    found: dict[str, list[float]] = {name: [] for name in clients}
    for turn in range(rounds + 1):
        for name, client in clients.items():
            begun = time.perf_counter()
            await asyncio.gather(*(client.get(served.slow) for _ in range(CALLS)))
            if turn:
                found[name].append(time.perf_counter() - begun)
    for client in clients.values():
        await client.aclose()
    return found


async def _stalls(served: Served, rounds: int) -> dict[str, list[float]]:
    """Return the longest stall in each round. Each round is a request of a new client that needs a token first."""
    makers = {OURS: httpx_client.AsyncOAuth2Client, AUTHLIB: peers.authlib_httpx2.AsyncOAuth2Client}
    found: dict[str, list[float]] = {name: [] for name in (*makers, AUTH_OBJECT)}
    async with httpx2.AsyncClient() as bare:
        for turn in range(rounds + 1):
            for name, taken in found.items():
                if name == AUTH_OBJECT:
                    auth = OAuth2Auth(CLIENT, token_endpoint=served.token_endpoint)
                    longest = await _longest_stall(bare.get(served.api, auth=auth))
                else:
                    expired = peers.token(-10)
                    async with makers[name]("client", token=expired, token_endpoint=served.token_endpoint) as client:
                        longest = await _longest_stall(client.get(served.api))
                if turn:  # the first imports what is needed
                    taken.append(longest)
    return found


async def _longest_stall(work: Coroutine[Any, Any, object]) -> float:
    """Do the work in a task while another task yields in a loop. Return the seconds of the loop's longest iteration."""
    task = asyncio.create_task(work)
    longest, last = 0.0, time.perf_counter()
    while not task.done():
        await asyncio.sleep(0)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    await task
    return longest
