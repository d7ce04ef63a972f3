"""Token stores: in memory, in an SQLite file, in Redis, in an SQL database; each with an asynchronous twin.

Importing this package imports no database library. The first use of a store's name imports the library of that store.
The contract of a store is in `doorkey.stores.protocol`, and the content of a record in `doorkey.stores.envelope`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doorkey.stores.protocol import AsyncStore, Lease, Record, Store

if TYPE_CHECKING:
    from doorkey.stores.encryption import Sealer
    from doorkey.stores.memory import AsyncMemoryStore, MemoryStore
    from doorkey.stores.redis import AsyncRedisStore, RedisStore
    from doorkey.stores.sql import AsyncSQLStore, SQLStore
    from doorkey.stores.sqlite import AsyncSQLiteStore, SQLiteStore

_MODULES = {
    "AsyncMemoryStore": "doorkey.stores.memory",
    "AsyncRedisStore": "doorkey.stores.redis",
    "AsyncSQLStore": "doorkey.stores.sql",
    "AsyncSQLiteStore": "doorkey.stores.sqlite",
    "MemoryStore": "doorkey.stores.memory",
    "RedisStore": "doorkey.stores.redis",
    "SQLStore": "doorkey.stores.sql",
    "SQLiteStore": "doorkey.stores.sqlite",
    "Sealer": "doorkey.stores.encryption",
}

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
    from doorkey.runtime.lazy import lazy_name

    return lazy_name(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
