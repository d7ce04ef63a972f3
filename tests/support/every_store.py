"""The stores under test, by name, so that another process can open the same one."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio
import pytest

from doorkey.stores import (
    AsyncMemoryStore,
    AsyncRedisStore,
    AsyncSQLiteStore,
    AsyncSQLStore,
    AsyncStore,
    Lease,
    MemoryStore,
    Record,
    RedisStore,
    SQLiteStore,
    SQLStore,
    Store,
)
from tests.servers.handle import RealServer

SHARED: Final = ("sqlite", "redis", "redis6", "valkey", "postgres", "mariadb", "mysql", "sql-sqlite")
"""Those that several processes can open."""
SERVERS: Final = {
    "redis": "redis_server",
    "redis6": "redis6",
    "valkey": "valkey",
    "postgres": "postgres",
    "mariadb": "mariadb",
    "mysql": "mysql",
}
"""The fixture that tells where the server is."""
REDIS: Final = ("redis", "redis6", "valkey")
PATIENCE: Final = 5000
"""Attempts before a test gives up waiting for a store; each makes a round trip."""


LONG: Final = 60.0
"""Seconds a store may take for a call: far more than any does, however busy the machine and its disk are."""


@dataclass(frozen=True, slots=True)
class Place:
    """A kind of store, and where it is: a path or a URL."""

    kind: str
    where: str

    def open(self) -> Store:
        """The store that blocks."""
        if self.kind == "memory":
            return MemoryStore()
        if self.kind == "sqlite":
            return SQLiteStore(self.where, timeout=LONG)
        if self.kind in REDIS:
            return RedisStore(self.where, prefix="test:", timeout=LONG)
        store = SQLStore(self.where, timeout=LONG)
        store.create_table()
        return store

    async def aopen(self) -> AsyncStore:
        """The store that awaits."""
        if self.kind == "memory":
            return AsyncMemoryStore()
        if self.kind == "sqlite":
            return AsyncSQLiteStore(self.where, timeout=LONG)
        if self.kind in REDIS:
            return AsyncRedisStore(self.where, prefix="test:", timeout=LONG)
        url = self.where.replace("sqlite://", "sqlite+aiosqlite://").replace("+pymysql", "+asyncmy")
        store = AsyncSQLStore(url, timeout=LONG)
        await store.create_table()
        return store


def place_of(kind: str, request: pytest.FixtureRequest, folder: Path) -> Place:
    """Where a store of that kind is; its server is started when it is first asked for."""
    if kind in SERVERS:
        server: RealServer = request.getfixturevalue(SERVERS[kind])
        return Place(kind, server.origin)
    return Place(kind, f"sqlite:///{folder}/sql.db" if kind == "sql-sqlite" else str(folder / "tokens.db"))


class Awaited:
    """A store that blocks, with the face of one that awaits: so that one suite holds both to the same."""

    def __init__(self, store: Store) -> None:
        self.blocking = store

    async def load(self, key: str) -> Record | None:
        return self.blocking.load(key)

    async def try_lease(self, key: str, seconds: float) -> Lease | None:
        return self.blocking.try_lease(key, seconds)

    async def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        return self.blocking.commit(key, data, expected=expected)

    async def release(self, lease: Lease) -> None:
        self.blocking.release(lease)

    async def close(self) -> None:
        self.blocking.close()


def marks(kind: str) -> list[pytest.MarkDecorator]:
    """What a test on this kind of store carries."""
    return [pytest.mark.real_server] if kind in SERVERS else []


def kinds(*names: str) -> list[object]:
    """Parameters for the fixture `place`."""
    return [pytest.param(name, id=name, marks=marks(name)) for name in names]


def taken(store: Store, key: str, seconds: float) -> Lease:
    """The lease, as soon as the store gives it."""
    for _ in range(PATIENCE):
        if lease := store.try_lease(key, seconds):
            return lease
        time.sleep(0.001)
    raise AssertionError("the lease never expired")


async def ataken(store: AsyncStore, key: str, seconds: float) -> Lease:
    """The lease, as soon as the store gives it."""
    for _ in range(PATIENCE):
        if lease := await store.try_lease(key, seconds):
            return lease
        await anyio.sleep(0.001)
    raise AssertionError("the lease never expired")
