"""Arguments of every kind for a store: they raise an `OAuthError` or nothing."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# What is given here is of any kind by design.

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from anyio.from_thread import BlockingPortal

from doorkey.stores import (
    AsyncMemoryStore,
    AsyncRedisStore,
    AsyncSQLiteStore,
    AsyncSQLStore,
    Lease,
    MemoryStore,
    RedisStore,
    Sealer,
    SQLiteStore,
    SQLStore,
)
from tests.support.wrong_values import failures, refused
from tests.wrong_arguments.test_public_api import NOBODY


def test_stores(tmp_path: Path, portal: BlockingPortal) -> None:
    file, database, redis = str(tmp_path / "s.db"), f"sqlite:///{tmp_path / 'q.db'}", f"redis://{NOBODY}"
    tabled = SQLStore(database)
    tabled.create_table()
    stores: list[Any] = [MemoryStore(), SQLiteStore(file), tabled, RedisStore(redis)]

    async def opened(**given: Any) -> None:
        store = AsyncSQLiteStore(**given)
        await store.load("k")
        await store.close()

    def lines() -> Iterator[str]:
        for store in stores:
            yield from failures(store.load, {})
            yield from failures(store.try_lease, {"key": "k", "seconds": 5})
            yield from failures(store.commit, {"key": "k", "data": b"x", "expected": 0})
            yield from failures(store.release, {})
            yield from failures(
                lambda release=store.release, **given: release(Lease(**given)),
                {"key": "k", "owner": "o"},
                ["key", "owner"],
            )
            store.close()
        yield from failures(MemoryStore, {})
        yield from failures(AsyncMemoryStore, {})
        yield from failures(lambda **given: SQLiteStore(**given).close(), {"path": file}, ["path", "timeout"])
        yield from failures(lambda **given: portal.call(partial(opened, **given)), {"path": file}, ["path", "timeout"])
        yield from failures(SQLStore, {"url_or_engine": database})
        yield from failures(AsyncSQLStore, {"url_or_engine": database.replace("sqlite", "sqlite+aiosqlite")})
        yield from failures(RedisStore, {"url_or_client": redis})
        yield from failures(AsyncRedisStore, {"url_or_client": redis})
        sealer = Sealer({"a": bytes(32)}, "a")
        yield from failures(Sealer, {"keys": {"a": bytes(32)}, "current": "a"})
        yield from failures(sealer.seal, {"key": "k", "data": b"x"})
        yield from failures(sealer.open, {"key": "k", "sealed": sealer.seal("k", b"x")})

    refused(lines())
