"""A program that forks while another thread holds a lock of `<what>`, and uses it in the child and in the parent."""

import os
import signal
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from doorkey.renewal.leader_lock import LeaderLock
from doorkey.runtime import forks
from doorkey.runtime.bounded_cache import BoundedCache
from doorkey.sessions.pending import Authorizations
from doorkey.stores import MemoryStore, SQLiteStore
from doorkey.transport.senders import Sender
from doorkey.wire.limits import ExchangePolicy

LONG = 30


class Around:
    """Counts the calls that a fork makes: those before it, and those after it."""

    def __init__(self) -> None:
        self.before = self.after = 0
        forks.around_fork(self, type(self).begin, Around.end)

    def begin(self) -> None:
        self.before += 1

    def end(self) -> None:
        self.after += 1


class Failing(Around):
    def begin(self) -> None:
        raise LookupError("of its own")


class Equal:
    """Is told of forks, is equal to all others, and has no hash."""

    def __init__(self) -> None:
        self.told = 0
        forks.after_fork(self, type(self).tell)

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        raise TypeError("unhashable")

    def tell(self) -> None:
        self.told += 1


class Raising(Equal):
    def tell(self) -> None:
        raise LookupError("of its own")


def lead(lock: LeaderLock) -> None:
    entered = lock.try_acquire()
    assert entered is not None
    lock.release(entered)


class Unclosable(sqlite3.Connection):
    def close(self) -> None:
        raise sqlite3.OperationalError("unable to close")


def unclosable(path: Path) -> SQLiteStore:
    making = SQLiteStore(path)
    making.load("a")
    making.close()
    real: Any = sqlite3.connect

    def connect(*args: Any, **options: Any) -> Any:
        return real(*args, factory=Unclosable, **options)

    sqlite3.connect = connect
    store = SQLiteStore(path)
    store.load("a")
    sqlite3.connect = real
    return store


def main() -> int:
    what = sys.argv[1]
    made: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
        "leader lock": (LeaderLock, lead),
        "cache": (BoundedCache, lambda cache: cache.get("a", Around)),
        "sender": (lambda: Sender(None, ExchangePolicy()), lambda sender: sender.close()),
        "authorizations": (Authorizations, lambda begun: begun.finish("state")),
        "memory store": (MemoryStore, lambda store: store.load("a")),
    }
    if what == "a connection that does not close":
        with tempfile.TemporaryDirectory() as folder:
            store = unclosable(Path(folder) / "store")
            return forked(lambda: store.load("a"))
    if what == "others":
        first, failing, last = Around(), Failing(), Around()
        sys.unraisablehook = lambda _: None
        return forked(lambda: print([(one.before, one.after) for one in (first, failing, last)], flush=True))
    if what == "equal owners":
        owners = Equal(), Raising(), Equal()
        Equal()  # which is freed
        sys.unraisablehook = lambda _: None
        return forked(lambda: print([one.told for one in owners], flush=True))
    make, use = made[what]
    used = make()
    release, held = threading.Event(), threading.Event()
    mutex = used._lock if hasattr(used, "_lock") else used._mutex

    def hold() -> None:
        with mutex:
            held.set()
            release.wait(LONG)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(LONG)

    def in_both() -> None:
        release.set()
        use(used)

    return forked(in_both)


def forked(use: Callable[[], object]) -> int:
    pid = os.fork()
    signal.alarm(LONG)  # a lock that is never released would block both of them
    if pid == 0:
        use()
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    use()
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())
