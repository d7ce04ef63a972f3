"""Measurements of httpx-oauth2 and doorkey, in an environment with httpx-oauth2.

`python -m bench.httpx_oauth2_worker JOB …` prints one line of JSON. Both libraries wrap a transport of httpx. doorkey
is the code of this checkout.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from importlib import import_module
from random import Random
from statistics import median
from typing import Any

import httpx

from bench.machine import available_memory, resident
from bench.names import BARE, HTTPX_OAUTH2, OURS
from bench.timing import blocking, compare
from doorkey.integrations import httpx_transport

theirs: Any = import_module("httpx_oauth2")

ISSUER = "https://as.example"
API = "https://api.example/"
TEXT = "eyJhbGciOiJSUzI1NiJ9." + "x" * 700 + "." + "y" * 342
CONFIGURATION = {
    "issuer": ISSUER,
    "token_endpoint": f"{ISSUER}/token",
    "token_endpoint_auth_methods_supported": ["client_secret_basic"],
    "grant_types_supported": ["client_credentials"],
}
THREADS, RENEWALS, PATIENCE = 32, 20, 3.0


@dataclass
class Server:
    """A token endpoint in this process, whose clock the jobs set. If `fails`, the next request gets no response."""

    now: float = field(default_factory=time.time)
    issued: int = 0
    delay: float = 0.05
    fails: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        time.sleep(self.delay)
        with self.lock:
            self.issued += 1
            number, failed, self.fails = self.issued, self.fails, False
        if failed:
            raise httpx.ConnectError("nobody listens")
        token = {"access_token": f"{TEXT}{number}", "token_type": "Bearer", "expires_in": 3600}
        # as a stream: httpx-oauth2 reads `elapsed`, which httpx sets only if it has read the stream itself
        return httpx.Response(200, stream=httpx.ByteStream(json.dumps(token).encode()))

    def authority(self, library: str) -> Any:
        """Return the authority client of `library` for this server and its clock."""
        client = httpx.Client(base_url=ISSUER, transport=httpx.MockTransport(self))
        if library == OURS:
            return httpx_transport.OAuthAuthorityClient(client, CONFIGURATION, clock=lambda: self.now)
        return theirs.OAuthAuthorityClient(client, CONFIGURATION, datetime_provider=self.datetime)

    def wrapped(self, library: str, transport: httpx.BaseTransport) -> Any:
        """Return the transport of `library` that puts the token into each request."""
        if library == OURS:
            ours = httpx_transport.AuthenticatingTransportFactory(self.authority(library))
            credentials = httpx_transport.ClientCredentials("client", "secret")
            return ours.authenticating_transport(transport, credentials)
        factory = theirs.AuthenticatingTransportFactory(self.authority(library), self.datetime)
        return factory.authenticating_transport(transport, theirs.ClientCredentials("client", "secret"))

    def datetime(self) -> datetime:
        """Return the time in the type that httpx-oauth2 expects."""
        return datetime.fromtimestamp(self.now)  # noqa: DTZ006  # it compares naive values


def answer(request: httpx.Request) -> httpx.Response:
    assert "Authorization" in request.headers
    return httpx.Response(200, content=b'{"ok":true}')


def added(url: str, seconds: str) -> dict[str, Any]:
    """Time requests over sockets to `url`, or in memory if it is empty."""

    def transport() -> httpx.BaseTransport:
        return httpx.HTTPTransport() if url else httpx.MockTransport(answer)

    clients = {BARE: httpx.Client(transport=transport(), headers={"Authorization": f"Bearer {TEXT}1"})}
    for library in (OURS, HTTPX_OAUTH2):
        clients[library] = httpx.Client(transport=Server().wrapped(library, transport()))
    contenders = {name: blocking(partial(client.get, url or API)) for name, client in clients.items()}
    return asdict(compare(contenders, limit=float(seconds)))


def renewals() -> dict[str, Any]:
    """Count token requests of 32 threads with an expired token, 20 times, and threads that wait after a failed one."""
    return {
        library: {"requests": _requests(library), "waiting": _left_waiting(library)} for library in (OURS, HTTPX_OAUTH2)
    }


def _requests(library: str) -> float:
    server = Server()
    client = httpx.Client(transport=server.wrapped(library, httpx.MockTransport(answer)))
    client.get(API)
    begun_with = server.issued
    for _ in range(RENEWALS):
        server.now += 4000
        assert not _at_once(lambda: client.get(API))
    return (server.issued - begun_with) / RENEWALS


def _left_waiting(library: str) -> int:
    server = Server(fails=True)
    client = httpx.Client(transport=server.wrapped(library, httpx.MockTransport(answer)))

    def call() -> None:
        with suppress(Exception):  # any error shows that the thread does not wait any more
            client.get(API)

    return _at_once(call)


def _at_once(call: Callable[[], object]) -> int:
    """Make the call in 32 threads at once, and return the number of threads that still run after some seconds."""
    start = threading.Barrier(THREADS)

    def begin() -> None:
        start.wait()
        call()

    threads = [threading.Thread(target=begin, daemon=True) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    ends = time.monotonic() + PATIENCE
    for thread in threads:
        thread.join(max(0.0, ends - time.monotonic()))
    return sum(thread.is_alive() for thread in threads)


def cached(*sizes: str) -> list[dict[str, Any]]:
    """Time reads of a cached token among a growing number of credentials, until half of the free memory is used."""
    now = datetime.now()  # noqa: DTZ005

    class Instant:
        """An authority that returns a token at once, because only the cache is measured."""

        def get_token(self, credentials: Any) -> Any:
            members = {"access_token": f"{TEXT}{credentials.client_id}", "token_type": "Bearer", "expires_in": "86400"}
            return theirs.OAuthToken.from_dict(members, emitted_at=now)

    provider = theirs.AuthenticatingTransportFactory(Instant()).token_provider
    choice, filled, begun_with, rows = Random(1), 0, resident(), list[dict[str, Any]]()  # noqa: S311
    for size in map(int, sizes):
        if filled and (resident() - begun_with) / filled * size > available_memory() / 2:
            break
        for number in range(filled, size):
            provider.get_token(theirs.ClientCredentials(f"client-{number}", "secret"))
        filled = size
        taken: list[float] = []
        for _ in range(500):
            credentials = theirs.ClientCredentials(f"client-{choice.randrange(size)}", "secret")
            began = time.perf_counter()
            provider.get_token(credentials)
            taken.append(time.perf_counter() - began)
        rows.append({"keys": size, "seconds": median(taken), "memory": resident() - begun_with})
    return rows


def main() -> None:
    jobs: dict[str, Callable[..., Any]] = {"added": added, "renewals": renewals, "cached": cached}
    job, *arguments = sys.argv[1:]
    print(json.dumps(jobs[job](*arguments)), flush=True)
    os._exit(0)  # threads of httpx-oauth2 may be left waiting for ever


if __name__ == "__main__":
    main()
