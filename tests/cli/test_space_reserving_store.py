"""The disk space that is kept for a token that must be saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorkey.cli.space_reserving_store import FILE, SIZE, SpaceReservingStore
from doorkey.errors import StoreError


@pytest.fixture
def store(tmp_path: Path) -> SpaceReservingStore:
    tmp_path.chmod(0o700)
    return SpaceReservingStore(tmp_path / "tokens.sqlite")


def test_a_lease_is_taken_only_with_a_whole_reserve(store: SpaceReservingStore, tmp_path: Path) -> None:
    assert not (tmp_path / FILE).exists()
    assert store.try_lease("key", 1.0) is not None
    assert (tmp_path / FILE).stat().st_size == SIZE
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
    (tmp_path / FILE).write_bytes(b"a part, after a crash")
    assert store.try_lease("another", 1.0) is not None
    assert (tmp_path / FILE).stat().st_size == SIZE
    store.close()


def test_without_space_for_it_no_lease_is_taken(store: SpaceReservingStore, tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()  # not even root can make a file of this name
    with pytest.raises(StoreError, match="reserve cannot be created: free some disk space"):
        store.try_lease("key", 1.0)
    store.close()


def test_a_commit_that_succeeds_leaves_it_alone(store: SpaceReservingStore, tmp_path: Path) -> None:
    store.fill_reserve()
    before = (tmp_path / FILE).read_bytes()
    assert store.commit("key", b"data", expected=0) == 1
    assert store.fill_reserve()
    assert (tmp_path / FILE).read_bytes() == before
    store.close()
