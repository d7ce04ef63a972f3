"""What a token request imports, imported ahead of it in a thread: an event loop has no tenth of a second to spare.

A program that only sends the token that it has needs none of this, so importing a client does not import it.
"""

from __future__ import annotations

import sys
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Final

from doorkey.shield import running_trio

_NEEDED: Final = (
    *("anyio.abc", "anyio.lowlevel", "anyio.to_thread"),
    *("doorkey.oauth2.asking", "doorkey.oauth2.authorizations", "doorkey.oauth2.callbacks", "doorkey.oauth2.inference"),
    *("doorkey.observe.events", "doorkey.observe.logs", "doorkey.integrations.httpx_client.exchange"),
    *("doorkey.protocol.client_auth", "doorkey.protocol.grants", "doorkey.protocol.token_endpoint"),
)
_SIGNING: Final = ("doorkey.jose.signing", "doorkey.protocol.client_assertion")
_CONNECTING: Final = (("httpx2", "httpcore2"), ("httpx", "httpcore"))

_ready: set[str] = set()
_more: list[str] = []


def signing() -> None:
    """Note that this program's token requests are signed with a key: what that needs is imported ahead too."""
    if not _more:
        _more.extend(_SIGNING)


async def ready() -> None:
    """Return once all is imported that a token request needs on the event loop that runs here."""
    trio = running_trio()
    backend = "asyncio" if trio is None else "trio"
    if backend in _ready and all(name in sys.modules for name in _more):
        return
    try:
        if trio is not None:
            await trio.to_thread.run_sync(_import, backend)
        else:
            import asyncio

            await asyncio.get_running_loop().run_in_executor(None, partial(_import, backend))
    except RuntimeError:  # no more threads, or the interpreter is ending
        _import(backend)


def _import(backend: str) -> None:
    for name in (*_NEEDED, *_more):
        import_module(name)
    for client, connecting in _CONNECTING:
        if client in sys.modules or find_spec(client) is not None:
            import_module(connecting)
            break
    import anyio

    anyio.run(anyio.sleep, 0, backend=backend)  # imports what it runs on
    _ready.add(backend)
