"""A process that forks four times and asks for one token in all five: `forking.py <store> <endpoint> <moment>`."""

import json
import os
import sys
import threading
from collections.abc import Callable

from doorkey.errors import OAuthError
from doorkey.stores import SQLiteStore
from doorkey.vault import TokenVault

NOW = 1_800_000_000.0
OLD = {"access_token": "at-1", "refresh_token": "rt-1", "expires_at": NOW + 300, "expires_in": 300}


def main() -> None:
    path, endpoint, moment = sys.argv[1:]
    now = NOW
    vault = TokenVault(
        SQLiteStore(path), client_id="app", client_secret="s", token_endpoint=endpoint, clock=lambda: now
    )
    vault.save("u", OLD)
    assert vault.source("u").token().access_token.reveal() == "at-1"  # in memory when it forks
    now += 301

    def ask() -> str:
        try:
            return vault.source("u").token().access_token.reveal()
        except OAuthError as error:
            return repr(error)

    if moment == "during":
        own: list[str] = []
        leader = threading.Thread(target=lambda: own.append(ask()))
        leader.start()
        sys.stdin.readline()
        children = [_child(ask) for _ in range(4)]
        print("forked", flush=True)
        leader.join()
    else:
        children = [_child(ask) for _ in range(4)]
        own = [ask()]
    print(json.dumps(own + [_read(child) for child in children]), flush=True)


def _child(ask: Callable[[], str]) -> tuple[int, int]:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writer, ask().encode())
        os._exit(0)
    os.close(writer)
    return pid, reader


def _read(child: tuple[int, int]) -> str:
    pid, reader = child
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)
    return said


if __name__ == "__main__":
    main()
