"""Daemon threads that run jobs one after another: a job takes an idle thread if there is one, else it starts one.

Theory of operation. A thread that has finished a job lists itself in `_idle` and waits on its lock. A caller takes a
thread off the list, puts its job into the thread's slot and releases that lock. The slot decides, not the list: both
the caller that gives a job and the thread that wants to end use `dict.setdefault`, which is atomic. So a Ctrl-C
between any two lines of a caller loses neither a thread nor a job, and an entry of the list may be out of date.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import Final, Protocol

MOST_IDLE: Final = 8
"""Idle threads that are kept; one more ends after its job."""

IDLE_SECONDS: Final = 10.0
"""Seconds for which a thread waits for its next job before it ends."""

_JOB: Final = "job"


class Job(Protocol):
    """A job that a thread runs. It must not raise."""

    def execute(self) -> bool:
        """Run; return False if the caller has abandoned the job, so that its thread is not reused."""
        ...

    def finish(self) -> None:
        """Tell the caller. The thread may already be running another job."""
        ...


class ReusedThread(threading.Thread):
    """A daemon thread that runs `job`, and after it the jobs of other callers."""

    def __init__(self, job: Job) -> None:
        super().__init__(name="doorkey-exchange", daemon=True)
        self._slot: dict[str, Job | None] = {_JOB: job}
        # A bare lock, not an Event: an exception between two lines of an Event's would leave it locked for ever.
        self._wake = threading.Lock()
        self._wake.acquire()

    def give(self, job: Job) -> bool:
        """Have this idle thread run `job`; return False if it has another one or has ended."""
        if self._slot.setdefault(_JOB, job) is not job:
            return False
        self._rouse()
        return True

    def has(self, job: Job) -> bool:
        """Return whether this thread was given `job` and has not finished it."""
        if self._slot.get(_JOB) is not job:
            return False
        self._rouse()  # `give` may have been interrupted before its last line
        return self.is_alive()

    def run(self) -> None:
        """Run jobs until one was abandoned or there was none for `IDLE_SECONDS`."""
        with suppress(Abandoned):  # which may strike after the job
            self._run()

    def _run(self) -> None:
        job = self._slot[_JOB]
        while job is not None:
            reusable, kept = job.execute(), len(_idle) < MOST_IDLE
            self._slot = {} if reusable and kept else {_JOB: None}
            if not reusable:
                return
            if kept:
                _idle.append(self)
            job.finish()
            job = None  # an idle thread keeps nothing of a caller alive
            if kept:
                self._wake.acquire(timeout=IDLE_SECONDS)
                job = self._slot.setdefault(_JOB, None)
        with suppress(ValueError):
            _idle.remove(self)

    def _rouse(self) -> None:
        with suppress(RuntimeError):  # it is awake
            self._wake.release()


class Abandoned(BaseException):
    """Ends the thread of a job that its caller has abandoned, at the thread's next line."""


def idle_thread() -> ReusedThread | None:
    """Return a thread that seems to be idle, taken off the list, or None."""
    try:
        return _idle.pop()
    except IndexError:
        return None


_idle: list[ReusedThread] = []

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # the child has none of its parent's threads
