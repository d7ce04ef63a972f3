"""What other processes do to a store: `main` of tests/support/forked.py. Orders and answers are JSON lines.

An order names a task, a store, a key and a number. The process says "ready" once the store is open, and begins when it
reads the next line, so that all begin together. It closes the store and reads its next order.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import closing

from doorkey.stores import Store
from tests.support.every_store import PATIENCE, Place


def tell(answer: object) -> None:
    """One line for the test, in one piece: forked processes write to the same pipe."""
    os.write(1, (json.dumps(answer) + "\n").encode())


def count(store: Store, key: str, turns: str) -> None:
    """Add a line to the record `turns` times, while others do too. Report the versions that this process made."""
    won: list[int] = []
    for _ in range(PATIENCE):
        if len(won) == int(turns):
            break
        seen = store.load(key)
        data = (seen.data if seen else b"") + f"{os.getpid()}\n".encode()
        if version := store.commit(key, data, expected=seen.version if seen else 0):
            won.append(version)
    tell(won)


def race(store: Store, key: str, rounds: str) -> None:
    """Try for the lease of each of many keys once; tell which were won."""
    tell([number for number in range(int(rounds)) if store.try_lease(f"{key}-{number}", 60)])


def first(store: Store, key: str, rounds: str) -> None:
    """Try to make the first version of each of many keys; tell which were won."""
    mine = str(os.getpid()).encode()
    tell([number for number in range(int(rounds)) if store.commit(f"{key}-{number}", mine, expected=0)])


def hold(store: Store, key: str, seconds: str) -> None:
    """Take the lease and never give it back."""
    tell(store.try_lease(key, float(seconds)) is not None)
    sys.stdin.readline()


def wrong_clock(store: Store, key: str, seconds: str) -> None:
    """Try for a lease that is held, with a clock that is off."""
    off = float(seconds)
    clocks = {name: getattr(time, name) for name in ("time", "monotonic")}
    for name, clock in clocks.items():
        setattr(time, name, lambda clock=clock: clock() + off)
    tell([store.try_lease(key, 60) is not None, store.try_lease(f"{key}-own", 60) is not None])


def fork(store: Store, key: str, turns: str) -> None:
    """Count in this process and in three that are forked from it, with the store as it is, in use by all."""
    store.commit(key, b"", expected=0)
    children: list[int] = []
    for _ in range(3):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                count(store, key, turns)
                code = 0
            finally:
                os._exit(code)
        children.append(pid)
    count(store, key, turns)
    tell([os.waitpid(pid, 0)[1] for pid in children])


TASKS: dict[str, Callable[[Store, str, str], None]] = {
    task.__name__: task for task in (count, race, first, hold, wrong_clock, fork)
}


def main() -> None:
    """Carry out the orders until the input ends."""
    for line in iter(sys.stdin.readline, ""):
        name, kind, where, key, number = json.loads(line)
        with closing(Place(kind, where).open()) as opened:
            tell("ready")
            sys.stdin.readline()
            TASKS[name](opened, key, number)
