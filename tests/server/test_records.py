"""One contract for every store."""

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from doorkey.errors import RecordError, StoreError, UsageError
from doorkey.server.storage.records import SWEEP_EVERY, Records
from doorkey.server.storage.sqlite import SQLiteRecords

LATER = 1000.0


def test_a_record_is_there_until_it_expires(store: Records) -> None:
    store.put("code", "a", "one", expires_at=10, now=0)
    assert store.get("code", "a", 9.9) == "one"
    assert store.get("code", "a", 10) is None
    assert store.get("session", "a", 0) is None


def test_add_writes_once(store: Records) -> None:
    assert store.add("once", "a", "one", expires_at=10, now=0)
    assert not store.add("once", "a", "two", expires_at=10, now=9)
    assert store.get("once", "a", 9) == "one"
    assert store.add("once", "a", "three", expires_at=20, now=10)


def test_swap_writes_only_over_what_was_seen(store: Records) -> None:
    store.put("session", "a", "one", expires_at=LATER, now=0)
    assert not store.swap("session", "a", "zero", "two", expires_at=LATER, now=0)
    assert store.swap("session", "a", "one", "two", expires_at=LATER, now=0)
    assert store.get("session", "a", 0) == "two"
    assert not store.swap("session", "b", "one", "two", expires_at=LATER, now=0)
    assert not store.swap("session", "a", "two", "three", expires_at=LATER, now=LATER)


def test_remove_says_whether_there_was_something(store: Records) -> None:
    store.put("session", "a", "one", expires_at=LATER, now=0)
    assert store.remove("session", "a", 0)
    assert not store.remove("session", "a", 0)
    assert store.get("session", "a", 0) is None


def test_the_keys_that_begin_with_a_prefix_are_listed_in_order(store: Records) -> None:
    for key in ("one/b", "one/a", "one", "one0", "One/c", "two/a", "one/ü", "one/%"):
        store.put("session", key, "", expires_at=LATER, now=0)
    store.put("session", "one/expired", "", expires_at=5, now=0)
    store.put("code", "one/other", "", expires_at=LATER, now=0)
    assert store.keys("session", "one/", 5) == ["one/%", "one/a", "one/b", "one/ü"]
    assert store.keys("session", "three/", 5) == []


def test_of_many_threads_exactly_one_wins(store: Records) -> None:
    store.put("code", "a", "fresh", expires_at=LATER, now=0)
    together = threading.Barrier(16)
    wins: list[str] = []

    def take(name: str) -> None:
        together.wait()
        if store.swap("code", "a", "fresh", name, expires_at=LATER, now=0):
            wins.append(name)

    threads = [threading.Thread(target=take, args=(str(number),)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(wins) == 1
    assert store.get("code", "a", 0) == wins[0]


def test_expired_records_are_swept_away(store: Records) -> None:
    store.put("old", "a", "one", expires_at=1, now=0)
    for number in range(SWEEP_EVERY):
        store.put("new", str(number), "", expires_at=LATER, now=5)
    assert store.get("old", "a", 0) is None  # asked as if it were not expired yet


def test_two_connections_see_the_same_file(tmp_path: Path) -> None:
    one, two = SQLiteRecords(tmp_path / "store"), SQLiteRecords(tmp_path / "store")
    one.put("a", "b", "c", expires_at=LATER, now=0)
    assert not two.add("a", "b", "other", expires_at=LATER, now=0)
    assert two.get("a", "b", 0) == "c"
    one.close()
    two.close()


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "store"
    before = os.umask(0)
    try:
        SQLiteRecords(path).close()
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        SQLiteRecords(path)


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError):
        SQLiteRecords(link)
    assert not (tmp_path / "elsewhere").exists()


def test_something_that_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "no-folder" / "store"):
        with pytest.raises(UsageError):
            SQLiteRecords(path)


@pytest.mark.parametrize("content", [b"", b"notes of mine", b"SQLite format 3\x00 and then nothing", b"\x00" * 4096])
def test_a_foreign_or_truncated_file_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(UsageError, match="it was left as it is"):
        SQLiteRecords(path)
    assert path.read_bytes() == content


def test_another_programs_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE record (mine TEXT)")
    database.commit()
    database.close()
    path.chmod(0o600)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="not one of doorkey's"):
        SQLiteRecords(path)
    assert path.read_bytes() == before


def test_to_open_the_file_again_drops_no_lock_that_this_process_holds(tmp_path: Path) -> None:
    """POSIX locks belong to the process: closing any descriptor of the file would let another process write."""
    path = tmp_path / "store"
    write = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None).execute(sys.argv[2])"
    SQLiteRecords(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as writing:
        writing.execute("BEGIN IMMEDIATE")
        again = SQLiteRecords(path)
        done = subprocess.run([sys.executable, "-c", write, path, "BEGIN IMMEDIATE"], capture_output=True, text=True)
        assert "database is locked" in done.stderr
        again.close()
        writing.execute("ROLLBACK")


def test_the_journal_of_a_store_that_was_deleted_is_not_taken_for_a_new_ones(tmp_path: Path) -> None:
    (tmp_path / "store-journal").touch(mode=0o600)
    with pytest.raises(RecordError, match="was deleted"):
        SQLiteRecords(tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_a_reader_of_the_file_does_not_block_writers(tmp_path: Path) -> None:
    path = tmp_path / "store"
    with (
        closing(SQLiteRecords(path, timeout=0)) as store,
        closing(sqlite3.connect(path, isolation_level=None)) as reading,
    ):
        reading.execute("BEGIN")
        reading.execute("SELECT * FROM record").fetchall()
        store.put("code", "a", "one", expires_at=LATER, now=0)
        assert store.get("code", "a", 0) == "one"


def test_a_write_that_finds_the_file_in_use_is_an_error_and_the_next_one_works(tmp_path: Path) -> None:
    path = tmp_path / "store"
    SQLiteRecords(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as reading:
        reading.execute("PRAGMA journal_mode = DELETE")  # as the files of older versions are
        reading.execute("BEGIN")
        reading.execute("SELECT * FROM record").fetchall()
        with closing(SQLiteRecords(path, timeout=0)) as store:
            with pytest.raises(StoreError, match="cannot be used") as caught:
                store.put("code", "a", "one", expires_at=LATER, now=0)  # its COMMIT waits for readers
            assert caught.value.retryable
            assert store.get("code", "a", 0) is None
            reading.execute("COMMIT")
            store.put("code", "a", "two", expires_at=LATER, now=0)
            assert store.get("code", "a", 0) == "two"


def test_a_file_of_an_older_version_gets_a_log(tmp_path: Path) -> None:
    path = tmp_path / "store"
    SQLiteRecords(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.execute("PRAGMA journal_mode = DELETE")
    SQLiteRecords(path).close()
    with closing(sqlite3.connect(path)) as reading:
        assert reading.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_closed_store_says_so_in_an_error_of_ours(tmp_path: Path) -> None:
    store = SQLiteRecords(tmp_path / "store")
    store.close()
    with pytest.raises(StoreError, match="cannot be used"):
        store.get("code", "a", 0)
