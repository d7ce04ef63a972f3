"""Preload the modules of a first token request in a thread, so that importing them does not block the event loop.

A program that only sends the token that it has needs none of this, so importing a client does not import it. The thread
is one of our own: those of a pool may all be waiting for the very token that is to be got.
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

_NEEDED: Final = (
    *("anyio.abc", "anyio.lowlevel", "anyio.to_thread"),
    *(
        "doorkey.sessions.token_call",
        "doorkey.sessions.authorizations",
        "doorkey.sessions.callbacks",
        "doorkey.sessions.fetching",
        "doorkey.sessions.grant_inference",
        "doorkey.sources.authorization_server",
        "doorkey.sources.next_token",
        "doorkey.sources.token_client",
    ),
    *("doorkey.observe.events", "doorkey.observe.logs"),
    *("doorkey.transport.on_aiohttp", "doorkey.transport.on_httpx"),
    *("doorkey.protocol.client_auth", "doorkey.protocol.grants", "doorkey.protocol.token_endpoint"),
)
_SIGNING: Final = ("doorkey.jose.signing", "doorkey.protocol.client_assertion")
_CONNECTING: Final = (("httpx2", "httpcore2"), ("httpx", "httpcore"))

_more: list[str] = []


def signing() -> None:
    """Note that this program's token requests are signed with a key: what that needs is imported ahead too."""
    if not _more:
        _more.extend(_SIGNING)


class _Importing:
    """The imports for one kind of event loop, and the callers that wait for the importing thread."""

    def __init__(self, backend: str) -> None:
        self._backend = backend
        self._imported: tuple[str, ...] | None = None
        self._mutex = ForkSafeLock()
        self.reset_in_child()
        after_fork(self, _Importing.reset_in_child)

    def reset_in_child(self) -> None:
        """Forget the thread that a fork left behind."""
        self._waiting: list[Callable[[], object]] = []

    def is_done(self) -> bool:
        """Say whether nothing is left to be imported."""
        return self._imported == tuple(_more)

    def begin(self, wake: Callable[[], object]) -> None:
        """Have `wake()` called once the thread is done. Raises `RuntimeError` where none can be started."""
        with self._mutex:
            if not self._waiting:
                threading.Thread(target=self._import, name="doorkey-imports", daemon=True).start()
            self._waiting.append(wake)

    def _import(self) -> None:
        names = tuple(_more)
        with suppress(Exception):  # the module that needs it raises the error
            _import_all(names)
            import anyio

            anyio.run(anyio.sleep, 0, backend=self._backend)  # imports what it runs on
        with self._mutex:
            self._imported = names
            waiting, self._waiting = self._waiting, []
        for wake in waiting:
            wake()


_kinds: Final = {backend: _Importing(backend) for backend in ("asyncio", "trio")}


async def ready() -> None:
    """Return once all is imported that a token request needs on the event loop that runs here."""
    trio = running_trio()
    kind = _kinds["asyncio" if trio is None else "trio"]
    while not kind.is_done():
        import asyncio

        done: Any = asyncio.Event() if trio is None else trio.Event()
        try:
            kind.begin(waker_of(done))
        except RuntimeError:  # no more threads, or the interpreter is ending: then here, whatever it takes
            _import_all(tuple(_more))
            return
        await done.wait()


def _import_all(more: tuple[str, ...]) -> None:
    """Import what every token request needs, and `more`."""
    for name in (*_NEEDED, *more):
        import_module(name)
    for client, connecting in _CONNECTING:
        if client in sys.modules or find_spec(client) is not None:
            import_module(connecting)
            break
