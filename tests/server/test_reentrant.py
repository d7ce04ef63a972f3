"""A lock of the server may be wanted by the thread that holds it: in a finalizer, or in a signal handler."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from doorkey.dev.faults import Faults
from doorkey.dev.request_log import KEPT, LoggedRequest, RequestLog
from doorkey.errors import StoreError
from doorkey.server.storage.records import MemoryRecords
from doorkey.server.storage.sqlite import SQLiteRecords
from doorkey.server.tokens.keys import KeyRing

LATER = 1000.0


class Interrupting(str):  # noqa: SLOT000  # it holds its action
    """A text that runs something when it is hashed or compared, as a finalizer runs at any moment."""

    action: Callable[[], object] | None = None

    def _run(self) -> None:
        action, self.action = self.action, None
        if action is not None:
            action()

    def __hash__(self) -> int:
        self._run()
        return super().__hash__()

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other)

    def endswith(self, *wanted: Any) -> bool:
        self._run()
        return super().endswith(*wanted)


def ends(call: Callable[[], object]) -> None:
    """Fail if `call` waits for itself."""
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive(), "the call waits for itself"


def test_records_in_memory() -> None:
    records, key, seen = MemoryRecords(), Interrupting("a"), list[object]()
    key.action = lambda: seen.append(records.add("kind", "b", "two", expires_at=LATER, now=0))
    ends(lambda: records.put("kind", key, "one", expires_at=LATER, now=0))
    assert seen == [True]
    assert (records.get("kind", "a", 0), records.get("kind", "b", 0)) == ("one", "two")


def test_records_in_a_file_refuse_a_call_within_a_call_and_lose_nothing(tmp_path: Path) -> None:
    records, refused = SQLiteRecords(tmp_path / "store"), list[StoreError]()

    class Interrupted(str):  # noqa: SLOT000
        """A text that interrupts when SQLite asks for its adapted form."""

        def __conform__(self, protocol: object) -> str:
            with pytest.raises(StoreError) as caught:
                records.put("kind", "b", "two", expires_at=LATER, now=0)
            refused.append(caught.value)
            return str(self)

    ends(lambda: records.put("kind", "a", Interrupted("one"), expires_at=LATER, now=0))
    assert [error.retryable for error in refused] == [True]
    assert (records.get("kind", "a", 0), records.get("kind", "b", 0)) == ("one", None)
    records.close()


def test_a_key_ring() -> None:
    class Interrupted(MemoryRecords):
        asked = 0

        def get(self, kind: str, key: str, now: float) -> str | None:
            self.asked += 1
            if self.asked == 1:
                ring.of("one")
            return super().get(kind, key, now)

    ring = KeyRing(Interrupted())
    ends(lambda: ring.of("one"))
    assert ring.of("one") is ring.of("one")


def test_the_faults_of_a_provider() -> None:
    faults, path = Faults(), Interrupting("/token")
    faults.add("/token")
    path.action = lambda: faults.add("/other")
    ends(lambda: faults.take(path))
    assert faults.take("/other") is not None


def test_the_log_of_a_provider() -> None:
    class Evicted(LoggedRequest):
        """A request that asks the log when it is dropped from it."""

        def __del__(self) -> None:
            counted.append(len(list(log)))

    log, counted = RequestLog(), list[int]()

    def fill() -> None:
        log.add(Evicted("GET", "/", None, (), 200))
        for _ in range(KEPT):
            log.add(LoggedRequest("GET", "/", None, (), 200))

    ends(fill)
    assert counted == [KEPT]
