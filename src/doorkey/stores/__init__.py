"""Where tokens are kept: in memory, in an SQLite file, in Redis, in an SQL database; each with an async twin.

Importing this imports no database library: a store's own is imported when the store is first named. What a store
promises is in `doorkey.stores.protocol`; `doorkey.stores.envelope` says what is in a record.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from doorkey.errors import UsageError
from doorkey.stores.protocol import AsyncStore, Lease, Record, Store

if TYPE_CHECKING:
    from doorkey.stores.encryption import Sealer
    from doorkey.stores.memory import AsyncMemoryStore, MemoryStore
    from doorkey.stores.redis import AsyncRedisStore, RedisStore
    from doorkey.stores.sql import AsyncSQLStore, SQLStore
    from doorkey.stores.sqlite import AsyncSQLiteStore, SQLiteStore

_HOMES = {
    "AsyncMemoryStore": "memory",
    "AsyncRedisStore": "redis",
    "AsyncSQLStore": "sql",
    "AsyncSQLiteStore": "sqlite",
    "MemoryStore": "memory",
    "RedisStore": "redis",
    "SQLStore": "sql",
    "SQLiteStore": "sqlite",
    "Sealer": "encryption",
}

_EXTRAS = {"redis": "redis", "sqlalchemy": "sql"}

__all__ = [
    "AsyncMemoryStore",
    "AsyncRedisStore",
    "AsyncSQLStore",
    "AsyncSQLiteStore",
    "AsyncStore",
    "Lease",
    "MemoryStore",
    "Record",
    "RedisStore",
    "SQLStore",
    "SQLiteStore",
    "Sealer",
    "Store",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name not in _EXTRAS:
            raise
        raise UsageError(f"{error.name} is not installed: pip install 'doorkey[{_EXTRAS[error.name]}]'") from None
