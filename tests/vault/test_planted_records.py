"""Records that another program planted or put back in a vault's store: typed errors, which the next login ends."""

import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from doorkey.errors import MissingTokenError, RecordError, StoreError
from doorkey.stores import Lease, MemoryStore, Record, Sealer, SQLiteStore
from doorkey.stores.limits import MAX_DATA
from doorkey.vault import TokenVault
from tests.vault.conftest import OLD

VaultOn = Callable[..., TokenVault]
KEYS = {"1": secrets.token_bytes(32)}


def plant(path: Path, version: object, data: object) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE record SET version = ?, data = ?", (version, data))
        db.commit()


PLANTED: dict[str, tuple[object, object]] = {
    "a version that is not exact": (2**53, b"x"),
    "a version that is text": ("many", b"x"),
    "8 MiB of data": (1, bytes(8 << 20)),
    "text": (1, "planted"),
}


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
@pytest.mark.parametrize("sealed", [False, True], ids=["open", "sealed"])
def test_a_planted_record_is_a_record_error_that_a_save_overrides(
    tmp_path: Path, vault_on: VaultOn, planted: tuple[object, object], sealed: bool
) -> None:
    path = tmp_path / "tokens.db"
    with closing(SQLiteStore(path)) as store:
        options: dict[str, Any] = {"sealer": Sealer(KEYS, "1")} if sealed else {}
        vault_on(store, **options).save("u", OLD)
        plant(path, *planted)
        vault = vault_on(store, **options)
        with pytest.raises(RecordError, match="save"):
            vault.source("u").token()
        vault.save("u", OLD)
        assert vault.source("u").token().access_token.reveal() == "at-1"
        assert vault_on(store, **options).source("u").token().access_token.reveal() == "at-1"


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_a_planted_record_is_deleted_by_forget(
    tmp_path: Path, vault_on: VaultOn, planted: tuple[object, object]
) -> None:
    path = tmp_path / "tokens.db"
    with closing(SQLiteStore(path)) as store:
        vault = vault_on(store)
        vault.save("u", OLD)
        plant(path, *planted)
        vault.forget("u")
        assert store.load("u") is None
        with pytest.raises(MissingTokenError):
            vault.source("u").token()


class OwnStore(MemoryStore):
    """A store of a user's own, which bounds nothing that it loads."""

    loaded: Record | None = None

    def load(self, key: str) -> Record | None:
        return self.loaded or super().load(key)


@pytest.mark.parametrize(
    "record", [Record(1, bytes(MAX_DATA + 1)), Record(2**53, b"x"), Record(0, b"x")], ids=["data", "version", "zero"]
)
def test_a_custom_store_that_loads_more_than_can_be_committed_is_bounded(vault_on: VaultOn, record: Record) -> None:
    store = OwnStore()
    vault = vault_on(store)
    store.loaded = record
    with pytest.raises(RecordError, match="save"):
        vault.source("u").token()


def test_an_earlier_sealed_record_that_is_put_back_after_a_logout_does_not_open(vault_on: VaultOn) -> None:
    store, sealer = MemoryStore(), Sealer(KEYS, "1")
    vault_on(store, sealer=sealer).save("u", OLD)
    stolen = store.load("u")
    assert stolen is not None
    vault_on(store, sealer=sealer).forget("u")
    assert store.commit("u", stolen.data, expected=0) == 3
    vault = vault_on(store, sealer=sealer)
    with pytest.raises(RecordError, match="belongs to another version"):
        vault.source("u").token()
    vault.save("u", OLD)
    assert vault.source("u").token().access_token.reveal() == "at-1"


def test_an_earlier_sealed_record_that_is_put_back_over_a_later_one_does_not_open(vault_on: VaultOn) -> None:
    store, sealer = MemoryStore(), Sealer(KEYS, "1")
    vault_on(store, sealer=sealer).save("u", OLD)
    stolen = store.load("u")
    assert stolen is not None
    vault_on(store, sealer=sealer).save("u", {**OLD, "access_token": "at-9"})
    assert vault_on(store, sealer=sealer).source("u").token().access_token.reveal() == "at-9"
    assert store.commit("u", stolen.data, expected=2) == 3
    with pytest.raises(RecordError, match="belongs to another version"):
        vault_on(store, sealer=sealer).source("u").token()


def test_a_login_after_a_logout_is_sealed_for_the_version_that_the_store_gives_it(vault_on: VaultOn) -> None:
    store, sealer = MemoryStore(), Sealer(KEYS, "1")
    for expected in (1, 4, 7):  # a login that follows a deletion is committed twice
        vault_on(store, sealer=sealer).save("u", OLD)
        record = store.load("u")
        assert record is not None
        assert record.version == expected
        assert b"at-1" in sealer.open("u", record.data, version=expected)
        assert vault_on(store, sealer=sealer).source("u").token().access_token.reveal() == "at-1"
        vault_on(store, sealer=sealer).forget("u")


def test_records_that_an_earlier_release_sealed_open_while_that_is_accepted_and_are_sealed_anew(
    vault_on: VaultOn,
) -> None:
    store, unsealed = MemoryStore(), MemoryStore()
    vault_on(unsealed).save("u", OLD)
    record = unsealed.load("u")
    assert record is not None
    store.commit("u", Sealer(KEYS, "1").seal("u", record.data), expected=0)
    with pytest.raises(RecordError, match="accept_unversioned=True"):
        vault_on(store, sealer=Sealer(KEYS, "1")).source("u").token()
    migrating = Sealer(KEYS, "1", accept_unversioned=True)
    vault = vault_on(store, sealer=migrating)
    token = vault.source("u").token()
    assert token.access_token.reveal() == "at-1"
    vault.save("u", token)
    assert vault_on(store, sealer=Sealer(KEYS, "1")).source("u").token().access_token.reveal() == "at-1"


class Skipping(MemoryStore):
    """A store that does not do what it promises: its versions grow by 2."""

    def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        version = super().commit(key, b"" if data is None else data, expected=expected)
        return super().commit(key, data, expected=version) if version else 0


def test_a_store_that_does_not_count_its_versions_cannot_hold_sealed_records(vault_on: VaultOn) -> None:
    with pytest.raises(StoreError, match="add 1"):
        vault_on(Skipping(), sealer=Sealer(KEYS, "1")).save("u", OLD)
    store = Skipping()
    vault_on(store).save("u", OLD)
    assert vault_on(store).source("u").token().access_token.reveal() == "at-1"
    assert isinstance(store.try_lease("u", 1), Lease)
