"""Where tokens are kept: in memory, in an SQLite file, in Redis, in an SQL database; each with an async twin.

Importing this imports no database library: a store's own is imported when the store is first named. What a store
promises is in `doorkey.stores.protocol`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from doorkey.stores.protocol import AsyncStore, Lease, Record, Store

if TYPE_CHECKING:
    from doorkey.stores.memory import AsyncMemoryStore, MemoryStore

_HOMES = {
    "MemoryStore": "memory",
    "AsyncMemoryStore": "memory",
}

__all__ = [
    "AsyncMemoryStore",
    "AsyncStore",
    "Lease",
    "MemoryStore",
    "Record",
    "Store",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
