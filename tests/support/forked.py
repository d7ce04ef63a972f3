"""Processes that are forked from one that has imported what they need, and has opened nothing and started no thread.

To start an interpreter and to import doorkey, the library of a database and one for HTTP takes 0.7 s of CPU. The tests
that kill processes start hundreds.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import IO

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.support.forked_imports"])


class Forked:
    """A process that runs `main`, and what its standard input and output are connected to."""

    def __init__(self, main: Callable[[], object]) -> None:
        their_in, our_out = CONTEXT.Pipe(duplex=False)
        our_in, their_out = CONTEXT.Pipe(duplex=False)
        self._process = CONTEXT.Process(target=_run, args=(main, their_in, their_out), daemon=True)
        self._process.start()
        self.stdin, self.stdout = _file(our_out, "w"), _file(our_in, "r")
        their_in.close()
        their_out.close()

    def kill(self) -> None:
        """Kill it with SIGKILL, if it has not ended, and close what it was connected to."""
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        for pipe in (self.stdin, self.stdout):
            try:
                pipe.close()
            except BrokenPipeError:
                continue


def _file(end: Connection, mode: str) -> IO[str]:
    with end:
        return os.fdopen(os.dup(end.fileno()), mode, encoding="utf-8")  # `kill` closes it


def _run(main: Callable[[], object], orders: Connection, answers: Connection) -> None:
    with orders, answers:
        os.dup2(orders.fileno(), 0)
        os.dup2(answers.fileno(), 1)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # open as long as the process
    main()
