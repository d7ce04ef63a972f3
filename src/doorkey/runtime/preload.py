"""Preload the libraries of a first token request in a thread, so that importing them does not block the event loop.

Our own modules are imported when a session, a source or a vault is constructed. A program that only sends a token that
it already has does not need these libraries, so they are not imported earlier. The thread does not come from a pool,
because all threads of a pool may be waiting for this token.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from doorkey.runtime.forks import ForkSafeLock, after_fork
from doorkey.runtime.loops import running_trio, waker_of

_NEEDED: Final = ("anyio.abc", "anyio.lowlevel", "anyio.to_thread")
_CONNECTING: Final = (("httpx2", "httpcore2"), ("httpx", "httpcore"))


class _Importing:
    """The imports for one kind of event loop, and the callers that wait for the importing thread."""

    def __init__(self, backend: str) -> None:
        self._backend = backend
        self.is_done = False
        self._mutex = ForkSafeLock()
        self.reset_in_child()
        after_fork(self, _Importing.reset_in_child)

    def reset_in_child(self) -> None:
        """Forget the importing thread, which does not exist in a forked child."""
        self._waiting: list[Callable[[], object]] = []

    def begin(self, wake: Callable[[], object]) -> None:
        """Start the thread if it does not run, and call `wake()` when it is done.

        Raises `RuntimeError` if no thread can be started.
        """
        with self._mutex:
            if not self._waiting:
                threading.Thread(target=self._import, name="doorkey-imports", daemon=True).start()
            self._waiting.append(wake)

    def _import(self) -> None:
        with suppress(Exception):  # the module that needs the library raises the error
            _import_all()
            if self._backend == "asyncio":
                import_module("doorkey.runtime.unattended")
            import anyio

            anyio.run(anyio.sleep, 0, backend=self._backend)  # this imports the backend
        with self._mutex:
            self.is_done = True
            waiting, self._waiting = self._waiting, []
        for wake in waiting:
            wake()


_kinds: Final = {backend: _Importing(backend) for backend in ("asyncio", "trio")}


async def preloaded() -> None:
    """Return when all libraries are imported that a token request needs on the running event loop."""
    trio = running_trio()
    kind = _kinds["asyncio" if trio is None else "trio"]
    while not kind.is_done:
        import asyncio

        done: Any = asyncio.Event() if trio is None else trio.Event()
        try:
            kind.begin(waker_of(done))
        except RuntimeError:  # no more threads, or the interpreter is ending: import here, although it blocks the loop
            _import_all()
            return
        await done.wait()


def _import_all() -> None:
    """Import the libraries that every token request needs."""
    for name in _NEEDED:
        import_module(name)
    for client, connecting in _CONNECTING:
        if client in sys.modules or find_spec(client) is not None:
            import_module(connecting)
            break
