"""The file of an SQL store on SQLite holds tokens: only its owner may read it."""

import asyncio
import os
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from doorkey.errors import StoreError
from doorkey.stores import AsyncSQLStore, SQLStore

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")


def use(path: Path) -> None:
    with closing(SQLStore(f"sqlite:///{path}")) as store:
        store.create_table()
        store.commit("key", b"data", expected=0)


def ause(path: Path) -> None:
    async def main() -> None:
        store = AsyncSQLStore(f"sqlite+aiosqlite:///{path}")
        await store.create_table()
        await store.commit("key", b"data", expected=0)
        await store.close()

    asyncio.run(main())


@pytest.mark.parametrize("used", [use, ause], ids=["blocking", "awaiting"])
def test_a_file_that_an_sql_store_makes_is_its_owners_alone(used: Callable[[Path], None], tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        used(tmp_path / "tokens.db")
    finally:
        os.umask(before)
    made = list(tmp_path.iterdir())
    assert tmp_path / "tokens.db" in made
    assert {stat.S_IMODE(one.stat().st_mode) for one in made} == {0o600}


def test_a_file_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        use(tmp_path / "no-folder" / "tokens.db")
    with closing(SQLStore("sqlite://")) as store:
        store.create_table()
    assert list(tmp_path.iterdir()) == []
