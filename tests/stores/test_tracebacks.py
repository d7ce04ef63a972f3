"""Collectors of errors show local variables: no frame of our errors holds a token or a key in plain text."""

import asyncio
import json
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from doorkey.errors import OAuthError
from doorkey.stores import (
    AsyncRedisStore,
    AsyncSQLStore,
    MemoryStore,
    Record,
    RedisStore,
    Sealer,
    SQLiteStore,
    SQLStore,
)
from doorkey.stores.envelope import open_record, pack
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.vault.entry import Codec, Entry
from tests.servers.process import nobodys_port
from tests.support.tracebacks import local_variables

SECRET = "-".join(["s3cret", "refresh", "token"])


def token() -> OAuthToken:
    return OAuthToken(Secret("access"), refresh_token=Secret(SECRET))


def failed(call: Callable[[], object]) -> str:
    """What a collector shows of the error that `call` raises."""
    with pytest.raises(OAuthError) as caught:
        call()
    return local_variables(caught.value)


def sqlite_busy(folder: Path) -> str:
    path = folder / "tokens.db"
    with closing(SQLiteStore(path, timeout=0.01)) as store, closing(sqlite3.connect(path)) as busy:
        busy.execute("BEGIN IMMEDIATE")
        return failed(lambda: store.commit("key", pack(token()), expected=0))


def sql_without_table(folder: Path) -> str:
    with closing(SQLStore(f"sqlite:///{folder}/sql.db")) as store:
        return failed(lambda: store.commit("key", pack(token()), expected=1))


def given_engine_without_table(folder: Path) -> str:
    engine = create_engine(f"sqlite:///{folder}/sql.db")
    try:
        return failed(lambda: SQLStore(engine).commit("key", pack(token()), expected=1))
    finally:
        engine.dispose()


def async_sql_without_table(folder: Path) -> str:
    async def use() -> None:
        store = AsyncSQLStore(f"sqlite+aiosqlite:///{folder}/sql.db")
        try:
            await store.commit("key", pack(token()), expected=1)
        finally:
            await store.close()

    return failed(lambda: asyncio.run(use()))


def redis_down(_: Path) -> str:
    with nobodys_port() as port, closing(RedisStore(f"redis://127.0.0.1:{port}/0")) as store:
        return failed(lambda: store.commit("key", pack(token()), expected=1))


def async_redis_down(_: Path) -> str:
    async def use(port: int) -> None:
        store = AsyncRedisStore(f"redis://127.0.0.1:{port}/0")
        try:
            await store.commit("key", pack(token()), expected=1)
        finally:
            await store.close()

    with nobodys_port() as port:
        return failed(lambda: asyncio.run(use(port)))


def memory_wrong_version(_: Path) -> str:
    return failed(lambda: MemoryStore().commit("key", pack(token()), expected=-1))


FAILURES: dict[str, Callable[[Path], str]] = {
    call.__name__: call
    for call in (
        sqlite_busy,
        sql_without_table,
        given_engine_without_table,
        async_sql_without_table,
        redis_down,
        async_redis_down,
        memory_wrong_version,
    )
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_store_that_fails_shows_no_token_in_local_variables(failure: str, tmp_path: Path) -> None:
    shown = FAILURES[failure](tmp_path)
    assert "commit" in shown  # the frames are there
    assert SECRET not in shown


def changed(**members: Any) -> bytes:
    return json.dumps({**json.loads(pack(token())), **members}).encode()


SPOILT: dict[str, Callable[[], bytes]] = {
    "cut short": lambda: bytes(pack(token())[:-2]),
    "a newer format": lambda: changed(format=2),
    "no format": lambda: changed(format=None),
    "metadata of another type": lambda: changed(metadata=[SECRET]),
    "no access token": lambda: changed(token={"refresh_token": SECRET}),
    "a repeated member": lambda: b'{"token":"' + SECRET.encode() + b'",' + pack(token())[1:],
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_record_that_cannot_be_read_shows_no_token_in_local_variables(spoilt: str) -> None:
    data = SPOILT[spoilt]()
    assert SECRET not in failed(lambda: open_record(data))
    sealer = Sealer({"k": secrets.token_bytes(32)}, "k")
    for codec, stored in (
        (Codec("app", "https://as.example", None), data),
        (Codec("app", "https://as.example", sealer), sealer.seal("key", data, version=1)),
    ):
        record = Record(1, stored)
        shown = failed(lambda codec=codec, record=record: codec.read("key", record))  # type: ignore[misc]
        assert "read" in shown
        assert SECRET not in shown


def test_a_record_of_another_client_shows_no_token_in_local_variables() -> None:
    mine = Codec("app", "https://as.example", None)
    record = Record(1, bytes(mine.written("key", Entry.new(token()), 1)))
    shown = failed(lambda: Codec("other", "https://as.example", None).read("key", record))
    assert SECRET not in shown
    assert mine.read("key", record).token == token()


def test_a_token_that_cannot_be_written_shows_no_token_in_local_variables() -> None:
    assert SECRET not in failed(lambda: pack(token(), {"grant": object(), "copy": SECRET}))


@pytest.mark.parametrize("key", [SECRET.encode(), (SECRET * 2)[:33].encode(), SECRET])
def test_a_sealing_key_that_is_rejected_is_in_no_local_variable(key: Any) -> None:
    assert SECRET not in failed(lambda: Sealer({"2026-11": key}, "2026-11"))
    good = SECRET[:16].encode() * 2
    assert SECRET[:16] not in failed(lambda: Sealer({"2026-11": good}, "2026-12"))
