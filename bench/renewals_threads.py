"""Token requests when 32 threads share a session whose token has expired."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from bench.peers import authlib_httpx2, authlib_requests, requests_oauthlib, token
from bench.renewals import row
from bench.row import Row
from bench.server import Served
from doorkey.integrations import httpx_client, requests_client

THREADS = 32


def measure(served: Served, _: float) -> list[Row]:
    known: dict[str, Any] = {"token": token(-10), "token_endpoint": served.token_endpoint}
    sessions: dict[str, dict[str, Callable[[], Any]]] = {
        "requests": {
            "doorkey": lambda: requests_client.OAuth2Session("client", **known),
            "authlib": lambda: authlib_requests.OAuth2Session("client", **known),
            "requests-oauthlib": lambda: requests_oauthlib.OAuth2Session(
                "client",
                token={**token(-10), "expires_in": -10},
                auto_refresh_url=served.token_endpoint,
                auto_refresh_kwargs={"client_id": "client"},
                token_updater=_forget,
            ),
        },
        "httpx2": {
            "doorkey": lambda: httpx_client.OAuth2Client("client", **known),
            "authlib": lambda: authlib_httpx2.OAuth2Client("client", **known),
        },
    }
    return [
        row(f"{THREADS} threads, {library}", {name: _asked(served, make) for name, make in makers.items()})
        for library, makers in sessions.items()
    ]


def _forget(_: object) -> None:
    """Do nothing. Without a `token_updater`, requests-oauthlib raises an error after each renewal."""


def _asked(served: Served, make: Callable[[], Any]) -> str:
    served.token_requests()
    start = Barrier(THREADS)
    with make() as session, ThreadPoolExecutor(THREADS) as threads:

        def call(_: int) -> None:
            start.wait()
            session.get(served.api)

        problems = {type(error).__name__ for error in map(_error_of, [threads.submit(call, n) for n in range(THREADS)])}
    failed = problems - {"NoneType"}
    return str(served.token_requests()) + "".join(f", {name}" for name in sorted(failed))


def _error_of(future: Any) -> BaseException | None:
    error: BaseException | None = future.exception()
    return error
