"""The policy of files that hold tokens, in every store on SQLite: no other user can read, plant or replace one."""

import asyncio
import grp
import os
import pwd
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from doorkey.errors import OAuthError, StoreError, UsageError
from doorkey.server.storage.sqlite import SQLiteRecords
from doorkey.stores import AsyncSQLiteStore, AsyncSQLStore, SQLiteStore, SQLStore
from doorkey.stores.private_file import check_opened, companion, create, identity, is_private_group, resolved
from doorkey.stores.sqlite_file import TABLES, check_format, open_private

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes and owners are those of POSIX")

SECRET = "-".join(["s3cret", "refresh", "token"]).encode()
NOBODY = 65534


def sqlite_store(path: Path) -> None:
    with closing(SQLiteStore(path)) as store:
        store.commit("key", SECRET, expected=0)


def async_sqlite_store(path: Path) -> None:
    async def use() -> None:
        store = AsyncSQLiteStore(path)
        try:
            await store.commit("key", SECRET, expected=0)
        finally:
            await store.close()

    asyncio.run(use())


def sql_store(path: Path) -> None:
    sql_store_at(f"sqlite:///{path}")


def sql_store_by_uri(path: Path) -> None:
    sql_store_at(f"sqlite:///file:{path}?uri=true")


def sql_store_at(url: str) -> None:
    with closing(SQLStore(url)) as store:
        store.create_table()
        store.commit("key", SECRET, expected=0)


def async_sql_store(path: Path) -> None:
    async def use() -> None:
        store = AsyncSQLStore(f"sqlite+aiosqlite:///file:{path}?uri=true&mode=rwc")
        try:
            await store.create_table()
            await store.commit("key", SECRET, expected=0)
        finally:
            await store.close()

    asyncio.run(use())


def provider(path: Path) -> None:
    with closing(SQLiteRecords(path)) as records:
        records.put("kind", "key", SECRET.decode(), expires_at=1e12, now=0)


USES: dict[str, Callable[[Path], None]] = {
    use.__name__: use
    for use in (sqlite_store, async_sqlite_store, sql_store, sql_store_by_uri, async_sql_store, provider)
}


@pytest.fixture(params=USES)
def use(request: pytest.FixtureRequest) -> Callable[[Path], None]:
    """Make a store at a path, save a secret in it, and close it."""
    return USES[request.param]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir(mode=0o700)
    return folder / "tokens.db"


def keep_a_log(path: Path) -> None:
    """Have the database at `path` use a write-ahead log."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")


@dataclass
class Hook:
    """Runs `action` once, between the check of a file and its opening: Python announces `sqlite3.connect`."""

    path: Path
    action: Callable[[], object] | None = None
    ran: list[str] = field(default_factory=list[str])

    def __call__(self, event: str, arguments: Any) -> None:
        if event == "sqlite3.connect" and self.action is not None and str(self.path) in str(arguments[0]):
            action, self.action = self.action, None
            self.ran.append(event)
            action()


@pytest.fixture
def between_check_and_open(path: Path) -> Iterator[Hook]:
    hook = Hook(path)
    sys.addaudithook(hook)  # which is never removed, but has nothing more to do
    yield hook
    hook.action = None


def planted(path: Path, suffix: str) -> Path:
    """A companion as another user plants it: open to this user too, so that SQLite writes to it."""
    victim = companion(path, suffix)
    victim.touch()
    victim.chmod(0o666)
    if os.geteuid() == 0:
        os.chown(victim, NOBODY, NOBODY)
    return victim


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
def test_a_companion_planted_between_check_and_open_gets_no_secret(
    path: Path, use: Callable[[Path], None], suffix: str, between_check_and_open: Hook
) -> None:
    use(path)
    keep_a_log(path)
    before = path.read_bytes()
    between_check_and_open.action = lambda: planted(path, suffix)
    with pytest.raises(UsageError, match=r"another user|open to others"):
        use(path)
    assert between_check_and_open.ran == ["sqlite3.connect"]
    files = [one.read_bytes() for one in path.parent.iterdir() if one != path]
    assert SECRET not in b"".join(files)
    assert path.read_bytes() == before


def test_a_file_replaced_by_a_link_between_check_and_open_is_rejected(
    path: Path, tmp_path: Path, use: Callable[[Path], None], between_check_and_open: Hook
) -> None:
    use(path)
    elsewhere = tmp_path / "elsewhere.db"
    elsewhere.write_bytes(path.read_bytes())
    elsewhere.chmod(0o600)
    before = elsewhere.read_bytes()

    def replace() -> None:
        path.unlink()
        path.symlink_to(elsewhere)

    between_check_and_open.action = replace
    with pytest.raises(UsageError, match="symbolic link"):
        use(path)
    assert elsewhere.read_bytes() == before


def test_a_file_swapped_for_another_of_this_user_between_check_and_open_is_rejected(
    path: Path, tmp_path: Path, use: Callable[[Path], None], between_check_and_open: Hook
) -> None:
    use(path)
    other = tmp_path / "other.db"
    other.write_bytes(path.read_bytes())
    other.chmod(0o600)
    between_check_and_open.action = lambda: other.replace(path)
    with pytest.raises(StoreError, match="replaced while it was opened") as caught:
        use(path)
    assert caught.value.retryable


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
def test_a_companion_that_was_swapped_back_after_sqlite_opened_it_is_noticed_by_its_descriptor(
    path: Path, tmp_path: Path, suffix: str
) -> None:
    sqlite_store(path)
    own = companion(path, suffix)

    def check(db: sqlite3.Connection) -> None:
        victim = planted(path, suffix)
        check_format(db, path)  # SQLite opens what was planted
        victim.rename(tmp_path / "read later")
        own.touch(0o600)

    with pytest.raises(StoreError, match="replaced while it was opened"):
        open_private(path, TABLES, check, timeout=1)


def test_a_journal_planted_after_the_check_is_noticed_after_the_open(path: Path) -> None:
    sqlite_store(path)

    def check(db: sqlite3.Connection) -> None:
        check_format(db, path)
        planted(path, "-journal")

    with pytest.raises(UsageError, match=r"another user|open to others"):
        open_private(path, TABLES, check, timeout=1)


def test_a_file_is_created_only_under_a_name_that_is_free(path: Path) -> None:
    create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    link = path.with_name("link")
    link.symlink_to(path.with_name("nowhere"))
    for taken in (path, link):
        with pytest.raises(FileExistsError):
            create(taken)
    assert not path.with_name("nowhere").exists()


def test_a_companion_that_is_missing_after_the_open_is_noticed(path: Path) -> None:
    sqlite_store(path)

    def check(db: sqlite3.Connection) -> None:
        check_format(db, path)
        companion(path, "-wal").unlink()

    with pytest.raises(StoreError, match="replaced while it was opened"):
        open_private(path, TABLES, check, timeout=1)


def test_a_file_that_this_process_does_not_have_open_is_not_taken_for_the_one_that_sqlite_opened(path: Path) -> None:
    sqlite_store(path)
    expected = identity(path)
    assert expected is not None
    with pytest.raises(StoreError, match="replaced while it was opened"):
        check_opened(path, expected, log=False)
    with closing(SQLiteStore(path)):
        check_opened(path, expected, log=True)
        with pytest.raises(StoreError, match="replaced while it was opened"):
            check_opened(path, (expected[0], expected[1] + 1), log=True)


@pytest.mark.parametrize("exists", [False, True], ids=["new", "existing"])
@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o707, 0o702])
def test_a_directory_that_every_user_can_write_to_is_rejected_even_when_the_file_exists(
    path: Path, use: Callable[[Path], None], mode: int, exists: bool
) -> None:
    if exists:
        use(path)
    path.parent.chmod(mode)
    with pytest.raises(UsageError, match="mkdir -m 700"):
        use(path)
    assert path.exists() is exists
    path.parent.chmod(0o755)
    use(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can choose a group that others are in")
def test_a_directory_that_a_group_of_others_can_write_to_is_rejected(path: Path, use: Callable[[Path], None]) -> None:
    others = next(group for group in grp.getgrall() if group.gr_name != "root")
    os.chown(path.parent, 0, others.gr_gid)
    path.parent.chmod(0o770)
    with pytest.raises(UsageError, match="other users can write"):
        use(path)
    os.chown(path.parent, 0, 2**31 - 7)  # a group without a name
    with pytest.raises(UsageError, match="other users can write"):
        use(path)


def test_a_directory_of_the_users_own_group_is_accepted(path: Path, use: Callable[[Path], None]) -> None:
    user = pwd.getpwuid(os.geteuid())
    group = grp.getgrgid(user.pw_gid)
    if group.gr_name != user.pw_name or set(group.gr_mem) - {user.pw_name}:
        pytest.skip("this user has no group of its own")
    os.chown(path.parent, -1, user.pw_gid)
    path.parent.chmod(0o770)
    use(path)
    assert path.exists()


@pytest.mark.parametrize(
    ("name", "gid", "members", "private"),
    [
        ("alice", 1000, [], True),
        ("alice", 1000, ["alice"], True),
        ("alice", 1000, ["alice", "bob"], False),
        ("users", 1000, [], False),
        ("alice", 100, [], False),
    ],
)
def test_a_group_is_the_users_own_only_if_no_other_user_is_in_it(
    name: str, gid: int, members: list[str], private: bool
) -> None:
    alice = pwd.struct_passwd(("alice", "x", 1000, 1000, "", "/home/alice", "/bin/sh"))
    assert is_private_group(grp.struct_group((name, "x", gid, members)), alice) is private


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_another_user_is_rejected(path: Path, use: Callable[[Path], None]) -> None:
    os.chown(path.parent, NOBODY, NOBODY)
    with pytest.raises(UsageError, match="belongs to another user"):
        use(path)
    assert not path.exists()


def test_a_directory_above_that_every_user_can_replace_is_rejected_unless_it_is_sticky(
    path: Path, use: Callable[[Path], None]
) -> None:
    above = path.parent.parent
    above.chmod(0o777)
    with pytest.raises(UsageError, match="directory above"):
        use(path)
    above.chmod(0o1777)
    use(path)
    above.chmod(0o700)


def test_a_link_to_the_directory_is_resolved_once(path: Path, tmp_path: Path) -> None:
    link, elsewhere = tmp_path / "current", tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    link.symlink_to(path.parent)
    with closing(SQLiteStore(link / path.name)) as store:
        store.commit("key", b"data", expected=0)
        store.close()
        link.unlink()
        link.symlink_to(elsewhere)
        assert store.load("key") is not None
    assert resolved(link / path.name) == elsewhere / path.name
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601])
def test_a_file_with_a_mode_that_lets_others_in_is_rejected(path: Path, use: Callable[[Path], None], mode: int) -> None:
    use(path)
    path.chmod(mode)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="chmod 600"):
        use(path)
    assert path.read_bytes() == before


def test_a_dangling_symbolic_link_is_rejected_and_not_followed(
    path: Path, tmp_path: Path, use: Callable[[Path], None]
) -> None:
    path.symlink_to(tmp_path / "nowhere.db")
    with pytest.raises(UsageError, match="symbolic link"):
        use(path)
    assert not (tmp_path / "nowhere.db").exists()


def test_every_file_that_a_store_makes_is_its_owners_alone_whatever_the_umask(
    path: Path, use: Callable[[Path], None]
) -> None:
    before = os.umask(0)
    try:
        use(path)
    finally:
        os.umask(before)
    assert {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()} == {0o600}


def test_the_companions_of_a_deleted_file_are_not_taken_for_the_next_ones(
    path: Path, use: Callable[[Path], None]
) -> None:
    leftover = companion(path, "-journal")
    leftover.touch(0o600)
    with pytest.raises(OAuthError, match="deleted"):
        use(path)
    assert not path.exists()
