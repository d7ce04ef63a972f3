"""A clock that counts its readers: a call for a token reads the clock before it does anything else."""

import asyncio
import threading
from collections.abc import Hashable

from doorkey.runtime.loops import running_trio
from tests.support.fake_clock import Clock
from tests.support.hostile_server import WAIT


class Arrivals(Clock):
    """Counts the threads, or the tasks, that have read the clock since `expect`."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._seen: set[Hashable] = set()
        self._times = 0
        self.all_here = threading.Event()

    def __call__(self) -> float:
        with self._lock:
            self._seen.add(_caller())
            if len(self._seen) == self._times:
                self.all_here.set()
        return super().__call__()

    def expect(self, times: int) -> None:
        with self._lock:
            self._times = times
            self._seen.clear()
            self.all_here.clear()

    def wait(self) -> None:
        assert self.all_here.wait(WAIT), "not everybody came"


def _caller() -> Hashable:
    trio = running_trio()
    if trio is not None:
        task: Hashable = trio.lowlevel.current_task()
        return task
    try:
        return asyncio.current_task()
    except RuntimeError:
        return threading.get_ident()
