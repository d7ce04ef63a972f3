"""Daemon threads that run jobs one after another. A job gets an idle thread if there is one, else a new thread.

Theory of operation. A thread that has finished a job adds itself to the list `_idle` and waits on its lock. A caller
removes a thread from the list, puts its job into the thread's slot and releases that lock. The slot is decisive, not
the list: both the caller that gives a job and the thread that is about to end use `dict.setdefault`, which is atomic.
So a Ctrl-C between any two lines of a caller loses neither a thread nor a job, and an entry of the list may be stale.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import Final, Protocol

MOST_IDLE: Final = 8
"""The maximum number of idle threads. Another thread ends after its job."""

IDLE_SECONDS: Final = 10.0
"""Seconds for which a thread waits for its next job before it ends."""

_JOB: Final = "job"


class Job(Protocol):
    """A job that a thread runs. It must not raise."""

    def execute(self) -> bool:
        """Run the job. Return False if its caller has abandoned it, so that the thread is not reused."""
        ...

    def finish(self) -> None:
        """Wake the caller. The thread may already be running another job."""
        ...


class ReusedThread(threading.Thread):
    """A daemon thread that runs `job`, and after it the jobs of other callers."""

    def __init__(self, job: Job) -> None:
        super().__init__(name="doorkey-exchange", daemon=True)
        self._slot: dict[str, Job | None] = {_JOB: job}
        # A bare lock, because an exception between two lines of an `Event` would leave the Event's lock locked.
        self._wake = threading.Lock()
        self._wake.acquire()

    def submit(self, job: Job) -> bool:
        """Make this idle thread run `job`. Return False if it has another job or has ended."""
        if self._slot.setdefault(_JOB, job) is not job:
            return False
        self._wake_up()
        return True

    def has_job(self, job: Job) -> bool:
        """Return whether this thread has been given `job` and has not finished it."""
        if self._slot.get(_JOB) is not job:
            return False
        self._wake_up()  # `submit` may have been interrupted before its last line
        return self.is_alive()

    def run(self) -> None:
        """Run jobs until a job was abandoned, or there was no job for `IDLE_SECONDS`."""
        with suppress(Abandoned):  # it may be raised after the job too
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
            job = None  # an idle thread must not keep objects of a caller alive
            if kept:
                self._wake.acquire(timeout=IDLE_SECONDS)
                job = self._slot.setdefault(_JOB, None)
        with suppress(ValueError):
            _idle.remove(self)

    def _wake_up(self) -> None:
        with suppress(RuntimeError):  # the thread is awake already
            self._wake.release()


class Abandoned(BaseException):
    """Raised in the thread of an abandoned job, at its next line of Python, to end the thread."""


def idle_thread() -> ReusedThread | None:
    """Remove a thread from the list of idle threads and return it, or None. It may have ended."""
    try:
        return _idle.pop()
    except IndexError:
        return None


_idle: list[ReusedThread] = []

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # the child has none of its parent's threads
