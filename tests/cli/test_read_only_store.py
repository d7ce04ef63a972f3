"""The store of a directory that cannot be written to: it is read, and no file is made or changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from doorkey.cli.accounts import STORE
from doorkey.cli.read_only_store import ReadOnlyStore, is_read_only
from doorkey.errors import RecordError, StoreError, UsageError
from doorkey.stores import SQLiteStore
from doorkey.stores.protocol import Lease


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with one record, which no connection has open."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    store = SQLiteStore(home / STORE)
    store.commit("one", b"data", expected=0)
    store.close()
    return home / STORE


def files(path: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in path.parent.iterdir()}


def test_a_record_is_read_and_no_file_is_made_beside_the_store(path: Path) -> None:
    before = files(path)
    store = ReadOnlyStore(path)
    record = store.load("one")
    assert record is not None
    assert (record.data, record.version) == (b"data", 1)
    assert store.load("two") is None
    assert files(path) == before
    store.close()
    assert files(path) == before


def test_nothing_can_be_changed(path: Path) -> None:
    store = ReadOnlyStore(path)
    for call in (
        lambda: store.try_lease("one", 1.0),
        lambda: store.commit("one", b"other", expected=1),
        lambda: store.commit("one", None, expected=1),
        lambda: store.release(Lease("one", "owner")),
    ):
        with pytest.raises(StoreError, match=r"cannot be written to.* make it writable, or name another directory"):
            call()
    store.close()
    with closing(SQLiteStore(path)) as writer:
        assert writer.load("one") is not None


def test_changes_that_are_still_in_the_log_are_read(path: Path) -> None:
    writer = SQLiteStore(path)
    writer.commit("one", b"newer", expected=1)
    assert path.with_name(f"{STORE}-wal").stat().st_size > 0
    store = ReadOnlyStore(path)
    record = store.load("one")
    assert record is not None
    assert record.data == b"newer"
    store.close()
    writer.close()


def test_a_file_that_was_replaced_is_opened_again(path: Path, tmp_path: Path) -> None:
    store = ReadOnlyStore(path)
    (tmp_path / "other").mkdir(mode=0o700)
    other = SQLiteStore(tmp_path / "other" / STORE)
    other.commit("one", b"of another file", expected=0)
    other.close()
    (tmp_path / "other" / STORE).replace(path)
    record = store.load("one")
    assert record is not None
    assert record.data == b"of another file"
    path.unlink()
    with pytest.raises(StoreError):
        store.load("one")
    store.close()


def test_what_is_no_store_of_this_user_is_rejected(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(RecordError, match="damaged"):
        ReadOnlyStore(path)
    path.write_bytes(content)
    path.chmod(0o644)
    with pytest.raises(UsageError, match="open to others"):
        ReadOnlyStore(path)
    path.chmod(0o600)
    planted = path.with_name(f"{STORE}-wal")
    planted.symlink_to(path)
    with pytest.raises(UsageError, match="symbolic link"):
        ReadOnlyStore(path)
    planted.unlink()
    path.parent.chmod(0o777)
    with pytest.raises(UsageError, match="other users can write"):
        ReadOnlyStore(path)


def test_a_directory_that_can_be_written_to_is_not_read_only(path: Path) -> None:
    assert not is_read_only(path)
    assert not is_read_only(path.with_name("nothing"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize(("directory", "file"), [(0o500, 0o600), (0o700, 0o400), (0o500, 0o400)])
def test_permissions_of_another_user_than_root_count(path: Path, directory: int, file: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:  # every user can reach it, unlike pytest's own directory
        Path(name).chmod(0o755)
        home = Path(name) / "home"
        shutil.copytree(path.parent, home)
        code = (
            "import os, sys, urllib.parse; from pathlib import Path\n"  # that user may be unable to read Python's files
            "from doorkey.cli.read_only_store import ReadOnlyStore, is_read_only\n"
            "os.setuid(65534); path = Path(sys.argv[1])\n"
            "assert is_read_only(path); print(ReadOnlyStore(path).load('one').data)"
        )
        for one in (home, home / STORE):
            os.chown(one, 65534, 65534)
        (home / STORE).chmod(file)
        home.chmod(directory)
        done = subprocess.run(
            [sys.executable, "-c", code, str(home / STORE)], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (0, "b'data'\n"), done.stderr
