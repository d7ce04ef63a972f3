"""Calls in children of fork(): what the programs that fork in these tests have in common."""

import os
import signal
import traceback
from collections.abc import Callable

LONG = 60
"""Seconds until a process that waits for a lock for ever is ended."""


class Child:
    """A child of fork() that makes one call and ends. Its parent can read the text that the call returned."""

    def __init__(self, call: Callable[[], str]) -> None:
        self._reader, writer = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            _run(call, writer)
        os.close(writer)

    def result(self) -> str:
        """Wait for the end of the child and return the text."""
        with os.fdopen(self._reader) as pipe:
            text = pipe.read()
        _, status = os.waitpid(self._pid, 0)
        assert os.waitstatus_to_exitcode(status) == 0, "the child failed"
        return text


def _run(call: Callable[[], str], writer: int) -> None:
    status = 1
    try:
        signal.alarm(LONG)  # a child does not inherit the alarm of its parent
        os.write(writer, call().encode())
        status = 0
    except BaseException:  # noqa: BLE001  # the process ends here
        traceback.print_exc()
    finally:
        os._exit(status)
