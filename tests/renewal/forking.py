"""A program that forks while another thread holds a lock of `<what>`, and uses it in the child and in the parent."""

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
from tests.support.forking import LONG, Child


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
    """An owner whose method is called after a fork. It is equal to every object, and has no hash."""

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


def main() -> None:
    signal.alarm(LONG)  # a lock that is never released would block the parent too
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
            in_both(lambda: store.load("a"))
            return
    if what == "others":
        first, failing, last = Around(), Failing(), Around()
        sys.unraisablehook = lambda _: None
        in_both(lambda: print([(one.before, one.after) for one in (first, failing, last)], flush=True))
        return
    if what == "equal owners":
        owners = Equal(), Raising(), Equal()
        Equal()  # which is freed
        sys.unraisablehook = lambda _: None
        in_both(lambda: print([one.told for one in owners], flush=True))
        return
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

    def released() -> None:
        release.set()
        use(used)

    in_both(released)


def in_both(use: Callable[[], object]) -> None:
    """Make the call in a child, and then in the parent."""

    def used() -> str:
        use()
        return ""

    Child(used).result()
    use()


if __name__ == "__main__":
    main()
