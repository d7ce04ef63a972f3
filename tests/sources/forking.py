"""A program that forks around a token source: `python -m tests.sources.forking <when> <token_endpoint>`."""

import asyncio
import os
import signal
import sys
import threading

from doorkey import AsyncTokenSource, ClientCredentials, TokenSource
from doorkey.runtime.bounded_cache import BoundedCache
from doorkey.transport import made_clients
from tests.support.forking import LONG, Child


def said(process: str, token: str) -> str:
    os.write(1, f"{process}: {token}\n".encode())
    return token


def main() -> None:
    signal.alarm(LONG)
    when, endpoint = sys.argv[1:]
    credentials = ClientCredentials("c", "s")
    if when == "async":
        asynchronous(AsyncTokenSource(credentials, token_endpoint=endpoint))
        return
    source = TokenSource(credentials, token_endpoint=endpoint)
    cache: BoundedCache[str, TokenSource] = BoundedCache()
    thread: threading.Thread | None = None
    release = threading.Event()
    if when == "after":
        source.token()
    if when == "during":  # another thread leads, and its request is in flight
        thread = threading.Thread(target=source.token)
        thread.start()
        assert sys.stdin.readline() == "arrived\n"
    if when == "making":  # other threads hold the locks of the cache and of the code that makes a client
        thread = holding_locks(source, cache, release)
    Child(lambda: said("child", cache.get("a", lambda: source).token().access_token.reveal())).result()
    release.set()
    if thread is not None:
        thread.join()
    said("parent", source.token().access_token.reveal())


def holding_locks(
    source: TokenSource, cache: "BoundedCache[str, TokenSource]", release: threading.Event
) -> threading.Thread:
    inside = threading.Barrier(3)
    real = made_clients.new_client

    def slow_client() -> object:
        inside.wait()
        release.wait()
        return real()

    def slow_source() -> TokenSource:
        inside.wait()
        release.wait()
        return source

    here = os.getpid()
    made_clients.new_client = lambda: slow_client() if os.getpid() == here else real()
    thread = threading.Thread(target=source.token)
    thread.start()
    other = threading.Thread(target=lambda: cache.get("b", slow_source), daemon=True)
    other.start()
    inside.wait()
    return thread


def asynchronous(source: AsyncTokenSource) -> None:
    async def token() -> str:
        async with source:
            return (await source.token()).access_token.reveal()

    Child(lambda: said("child", asyncio.run(token()))).result()
    said("parent", asyncio.run(token()))


if __name__ == "__main__":
    main()
