"""What is deleted from a store on SQLite is in none of its files, also while the store is open."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from doorkey.server.storage.sqlite import SQLiteRecords
from doorkey.stores import AsyncSQLiteStore, AsyncSQLStore, Record, SQLiteStore, SQLStore, Store
from doorkey.stores.sqlite_file import truncate_log

SECRET = "-".join(["s3cret", "refresh", "token"]).encode() * 20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tokens.db"


def everything(path: Path) -> bytes:
    """The content of all files of the store."""
    return b"".join(one.read_bytes() for one in path.parent.iterdir())


def sqlite_store(path: Path) -> Store:
    return SQLiteStore(path)


def sql_store(path: Path) -> Store:
    store = SQLStore(f"sqlite:///{path}")
    store.create_table()
    return store


def sql_store_with_a_log(path: Path) -> Store:
    sql_store(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
    return SQLStore(f"sqlite:///{path}")


@pytest.mark.parametrize("opened", [sqlite_store, sql_store, sql_store_with_a_log])
def test_a_forgotten_token_is_in_no_file_while_the_store_is_open(opened: Callable[[Path], Store], path: Path) -> None:
    with closing(opened(path)) as store:
        store.commit("key", SECRET, expected=0)
        store.commit("other", b"stays", expected=0)
        assert SECRET in everything(path)
        store.commit("key", None, expected=1)
        assert SECRET[:30] not in everything(path)
        assert store.load("other") == Record(1, b"stays")
    assert SECRET[:30] not in everything(path)


@pytest.mark.parametrize("log", [True, False], ids=["log", "no-log"])
@pytest.mark.parametrize("kind", ["sqlite", "sql"])
def test_a_token_forgotten_by_an_asynchronous_store_is_in_no_file(kind: str, log: bool, path: Path) -> None:
    async def use() -> None:
        if kind == "sql":
            store: AsyncSQLStore | AsyncSQLiteStore = AsyncSQLStore(f"sqlite+aiosqlite:///{path}")
            await store.create_table()  # type: ignore[union-attr]
            if log:
                with closing(sqlite3.connect(path)) as db:
                    db.execute("PRAGMA journal_mode = WAL")
        else:
            store = AsyncSQLiteStore(path)
        await store.commit("key", SECRET, expected=0)
        assert SECRET in everything(path)
        await store.commit("key", None, expected=1)
        assert SECRET[:30] not in everything(path)
        await store.close()

    asyncio.run(use())


def test_a_token_that_is_forgotten_while_another_connection_reads_leaves_the_log_at_the_next_commit(path: Path) -> None:
    with closing(SQLiteStore(path, timeout=0.01)) as store, closing(sqlite3.connect(path)) as reader:
        store.commit("key", SECRET, expected=0)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM record").fetchall()
        assert store.commit("key", None, expected=1) == 2
        assert store.load("key") is None
        assert SECRET in everything(path)  # the reader still sees it
        statements: list[str] = []
        with store._connection.used() as db:
            db.set_trace_callback(statements.append)
        assert store.commit("other", b"data", expected=0) == 1
        assert "PRAGMA busy_timeout = 0" in statements  # a later commit does not wait for the reader
        assert SECRET in everything(path)
        reader.rollback()
        assert store.commit("other", b"more", expected=1) == 2
        assert SECRET[:30] not in everything(path)


def test_a_commit_over_another_version_empties_no_log(path: Path) -> None:
    with closing(SQLiteStore(path)) as store:
        store.commit("key", b"data", expected=0)
        size = path.with_name(path.name + "-wal").stat().st_size
        assert size > 0
        assert store.commit("key", None, expected=7) == 0
        assert path.with_name(path.name + "-wal").stat().st_size == size
        assert store.commit("key", None, expected=1) == 2
        assert path.with_name(path.name + "-wal").stat().st_size == 0


def test_closing_a_store_empties_the_log_though_another_process_has_the_file_open(path: Path) -> None:
    SQLiteStore(path).close()
    with closing(sqlite3.connect(path)) as other:
        with closing(SQLiteStore(path)) as store:
            other.execute("SELECT count(*) FROM record").fetchone()
            store.commit("key", SECRET, expected=0)
            store.commit("key", b"replaced", expected=1)
            assert SECRET in everything(path)
        assert SECRET[:30] not in everything(path)
        assert b"replaced" in path.read_bytes()


@pytest.mark.parametrize("awaited", [False, True], ids=["blocking", "awaiting"])
def test_closing_an_sql_store_empties_the_log_though_another_process_has_the_file_open(
    path: Path, awaited: bool
) -> None:
    def fill(store: Store) -> None:
        store.commit("key", SECRET, expected=0)
        store.commit("key", b"replaced", expected=1)
        assert SECRET in everything(path)

    async def use() -> None:
        store = AsyncSQLStore(f"sqlite+aiosqlite:///{path}")
        assert await store.load("key")
        await store.close()

    store = sql_store_with_a_log(path)
    with closing(sqlite3.connect(path)) as other:
        other.execute("SELECT count(*) FROM doorkey_tokens").fetchone()
        fill(store)
        if awaited:
            asyncio.run(use())
        else:
            store.close()
        assert SECRET[:30] not in everything(path)
    store.close()


def test_closing_a_store_that_was_not_used_makes_no_file(path: Path) -> None:
    SQLStore(f"sqlite:///{path}").close()
    asyncio.run(AsyncSQLStore(f"sqlite+aiosqlite:///{path}").close())
    assert not path.exists()


def test_what_a_provider_removes_is_in_no_file_when_it_is_closed(path: Path) -> None:
    SQLiteRecords(path).close()
    with closing(sqlite3.connect(path)) as other:
        with closing(SQLiteRecords(path)) as records:
            other.execute("SELECT count(*) FROM record").fetchone()
            records.put("code", "key", SECRET.decode(), expires_at=9e9, now=0)
            records.remove("code", "key", 0)
            assert SECRET in everything(path)
        assert SECRET[:30] not in everything(path)


def test_emptying_the_log_has_its_own_timeout_and_keeps_that_of_the_connection(path: Path) -> None:
    SQLiteStore(path).close()
    statements: list[str] = []
    with closing(sqlite3.connect(path, timeout=0.25, isolation_level=None)) as db:
        db.execute("SELECT count(*) FROM record").fetchone()
        db.set_trace_callback(statements.append)
        assert truncate_log(db, 0.125)
        assert truncate_log(db, 0)
        db.set_trace_callback(None)
        assert db.execute("PRAGMA busy_timeout").fetchone() == (250,)
    waits = [one for one in statements if one.startswith("PRAGMA busy_timeout =")]
    assert waits == [f"PRAGMA busy_timeout = {n}" for n in (125, 250, 0, 250)]
