"""The file of an SQLite store: its owner's alone, and never written over when it is not ours."""

import os
import sqlite3
import stat
import traceback
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from doorkey.errors import OAuthError, RecordError, StoreError, UsageError
from doorkey.stores import AsyncSQLiteStore, Record, SQLiteStore

posix = pytest.mark.skipif(os.name != "posix", reason="modes and owners are POSIX's")


def refused(path: Path, kind: type[OAuthError], match: str) -> None:
    """Opening raises `kind`, and what is at the path is what was there before."""
    before = path.read_bytes() if path.is_file() else None
    status = path.lstat()
    beside = sorted(path.parent.iterdir())
    with pytest.raises(kind, match=match):
        SQLiteStore(path)
    assert (path.read_bytes() if path.is_file() else None) == before
    assert path.lstat() == status or path.lstat().st_mtime_ns == status.st_mtime_ns
    assert sorted(path.parent.iterdir()) == beside


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tokens.db"


@posix
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_every_file_of_the_store_is_its_owners_alone_whatever_the_umask(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        store = SQLiteStore(path)
        store.commit("key", b"data", expected=0)
    finally:
        os.umask(before)
    files = list(path.parent.iterdir())
    assert path in files
    assert len(files) > 1  # the log beside it
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    store.close()


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o666])
def test_a_file_that_others_may_read_or_write_is_refused(path: Path, mode: int) -> None:
    SQLiteStore(path).close()
    path.chmod(mode)
    refused(path, UsageError, "chmod 600")


@posix
def test_a_symbolic_link_is_refused_also_one_to_nowhere(path: Path, tmp_path: Path) -> None:
    real = tmp_path / "real.db"
    path.symlink_to(real)
    refused(path, UsageError, "symbolic link")
    assert not real.exists()
    SQLiteStore(real).close()
    refused(path, UsageError, "symbolic link")


@posix
@pytest.mark.parametrize("companion", ["-wal", "-shm", "-journal"])
def test_a_symbolic_link_where_sqlite_keeps_its_log_is_refused(path: Path, tmp_path: Path, companion: str) -> None:
    SQLiteStore(path).close()
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    path.with_name(path.name + companion).symlink_to(victim)
    refused(path, UsageError, "symbolic link")
    assert victim.read_bytes() == b"precious"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_user_is_refused(path: Path) -> None:
    SQLiteStore(path).close()
    os.chown(path, 65534, 65534)
    refused(path, UsageError, "another user")


def test_a_value_that_is_not_a_plain_file_is_refused(path: Path) -> None:
    path.mkdir()
    refused(path, UsageError, "plain file")


@pytest.mark.parametrize("name", [":memory:", "", "nul\0", b"bytes"])
def test_what_names_no_file_is_refused(name: str) -> None:
    for kind in (SQLiteStore, AsyncSQLiteStore):
        with pytest.raises(UsageError, match="path"):
            kind(name)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        SQLiteStore(tmp_path / "none" / "tokens.db")


def _content(text: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(text)

    return write


def _other_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.executescript("CREATE TABLE mine (a); INSERT INTO mine VALUES (1);")


def _newer(path: Path) -> None:
    SQLiteStore(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 2")
        db.execute("PRAGMA journal_mode = DELETE")


def _without_table(path: Path) -> None:
    SQLiteStore(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.executescript("DROP TABLE record; PRAGMA journal_mode = DELETE;")


def _truncated(path: Path) -> None:
    with closing(SQLiteStore(path)) as store:
        for number in range(50):
            store.commit(f"key-{number}", bytes(1000), expected=0)
    os.truncate(path, 4096 + 100)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (_content(b""), "empty"),
        (_content(b'{"access_token": "somebody\'s"}\n' * 40), "not an SQLite database"),
        (_content(b"SQLite format 3\0" + bytes(4096)), "not an SQLite database|damaged"),
        (_other_database, "of another program"),
        (_newer, "newer version"),
        (_without_table, "damaged"),
        (_truncated, "damaged"),
    ],
    ids=["empty", "text", "header-only", "foreign", "newer", "no-table", "truncated"],
)
def test_a_truncated_foreign_or_newer_file_is_a_record_error_and_not_overwritten(
    path: Path, make: Callable[[Path], None], match: str
) -> None:
    make(path)
    path.chmod(0o600)
    refused(path, RecordError, match)


def test_the_log_of_a_deleted_store_is_not_taken_for_the_next_ones(path: Path) -> None:
    leftover = path.with_name(path.name + "-wal")
    leftover.write_bytes(b"log")
    leftover.chmod(0o600)
    with pytest.raises(RecordError, match="deleted"):
        SQLiteStore(path)
    assert leftover.read_bytes() == b"log"
    assert not path.exists()


def test_a_store_whose_file_is_deleted_in_use_says_so_instead_of_writing_into_nothing(path: Path) -> None:
    with closing(SQLiteStore(path)) as store:
        store.commit("key", b"data", expected=0)
        path.unlink()
        with pytest.raises(RecordError, match="deleted"):
            store.commit("key", b"lost?", expected=1)
        for leftover in path.parent.iterdir():
            leftover.unlink()
        assert store.load("key") is None
        assert store.commit("key", b"anew", expected=0) == 1
    with closing(SQLiteStore(path)) as store:
        assert store.load("key") == Record(1, b"anew")


def test_a_store_whose_file_is_replaced_in_use_goes_on_with_the_new_one(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with closing(SQLiteStore(other)) as store:
        store.commit("key", b"other", expected=0)
    with closing(SQLiteStore(path)) as store:
        store.close()
        other.replace(path)
        assert store.load("key") == Record(1, b"other")


@posix
def test_a_file_that_is_opened_to_others_in_use_is_noticed(path: Path) -> None:
    with closing(SQLiteStore(path)) as store:
        store.commit("key", b"data", expected=0)
        path.chmod(0o644)
        with pytest.raises(UsageError, match="chmod 600"):
            store.load("key")


def test_a_store_stays_where_it_was_made_when_the_working_directory_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with closing(SQLiteStore("a ?#%20.db")) as store:
        monkeypatch.chdir("elsewhere")
        store.close()
        store.commit("key", b"data", expected=0)
    assert (tmp_path / "a ?#%20.db").exists()
    assert not list(Path().iterdir())


def test_a_writer_that_never_ends_is_a_typed_error_after_the_timeout(path: Path) -> None:
    with closing(SQLiteStore(path, timeout=0.01)) as store, closing(sqlite3.connect(path)) as busy:
        store.commit("key", b"data", expected=0)
        busy.execute("BEGIN IMMEDIATE")
        secret = "-".join(["s3cret", "token"]).encode()
        for commit in ((secret, 1), (secret, 0)):
            with pytest.raises(StoreError, match="BUSY") as caught:
                store.commit("key", commit[0], expected=commit[1])
            assert caught.value.retryable
            assert "s3cret-token" not in "".join(traceback.format_exception(caught.value))
        assert store.load("key") == Record(1, b"data")  # readers need not wait
        busy.rollback()
        assert store.commit("key", b"later", expected=1) == 2


def test_two_stores_in_one_process_share_a_file_without_dropping_each_others_locks(path: Path) -> None:
    with closing(SQLiteStore(path)) as one:
        one.commit("key", b"", expected=0)
        with closing(sqlite3.connect(path, isolation_level=None)) as writing:
            writing.execute("BEGIN IMMEDIATE")
            SQLiteStore(path, timeout=0.01).close()  # opened and closed while the other holds its lock
            with closing(SQLiteStore(path, timeout=0.01)) as other, pytest.raises(StoreError, match="BUSY"):
                other.commit("key", b"", expected=1)
            writing.execute("ROLLBACK")


def test_a_replaced_token_is_not_left_in_the_file(path: Path) -> None:
    with closing(SQLiteStore(path)) as store:
        store.commit("key", b"the-first-token" * 20, expected=0)
        store.commit("key", b"another", expected=1)
    assert b"the-first-token" not in b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"another" in path.read_bytes()


def test_a_finalizer_that_closes_the_store_within_a_call_of_its_thread_leaves_the_call_alone(path: Path) -> None:
    store = SQLiteStore(path)
    store.commit("key", b"data", expected=0)
    closed: list[bool] = []

    def closes(
        statement: str,
    ) -> None:  # SQLite calls it within the store's call, as Python calls a finalizer
        if not closed and statement.startswith("UPDATE"):
            closed.append(True)
            store.close()

    with store._connection.used() as db:
        db.set_trace_callback(closes)
    assert store.commit("key", b"more", expected=1) == 2
    assert closed
    assert [one.name for one in path.parent.iterdir()] == [path.name]  # it was closed afterwards
    assert store.load("key") == Record(2, b"more")
    store.close()


def test_versions_of_what_was_deleted_long_ago_are_swept(path: Path) -> None:
    with closing(SQLiteStore(path)) as store:
        for key in ("old", "recent"):
            store.commit(key, b"", expected=0)
            store.commit(key, None, expected=1)
        with closing(sqlite3.connect(path)) as db:
            db.execute("UPDATE record SET gone_at = gone_at - 90000 WHERE key = 'old'")
            db.commit()
        for number in range(100):
            store.commit(f"new-{number}", b"", expected=0)
        with closing(sqlite3.connect(path)) as db:
            rows = {row[0] for row in db.execute("SELECT key FROM record")}
    assert "old" not in rows
    assert "recent" in rows
    assert len(rows) == 101
