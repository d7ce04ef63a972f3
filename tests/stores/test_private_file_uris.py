"""The file that an SQLite URL names: made for its owner alone, or none at all."""

import stat
from contextlib import closing
from pathlib import Path

import pytest

from doorkey.errors import StoreError, UsageError
from doorkey.stores import SQLStore
from tests.stores.test_private_file import path, sql_store_at

__all__ = ["path"]


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///file:{path}?uri=true",
        "sqlite:///file:{path}?mode=rwc&uri=true",
        "sqlite:///file://{path}?uri=true",
        "sqlite:///file://localhost{path}?cache=private&uri=true",
    ],
)
def test_a_file_named_by_a_uri_is_made_for_its_owner_alone_and_rejected_when_it_is_not(url: str, path: Path) -> None:
    sql_store_at(url.format(path=path))
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        sql_store_at(url.format(path=path))


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file::memory:?uri=true"])
def test_a_database_in_memory_has_no_file_to_check(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o777)
    with closing(SQLStore(url)) as store:
        store.create_table()
    assert list(tmp_path.iterdir()) == []
    tmp_path.chmod(0o700)


def test_a_uri_that_makes_no_file_makes_none(path: Path) -> None:
    with pytest.raises(StoreError):
        sql_store_at(f"sqlite:///file:{path}?mode=rw&uri=true")
    assert not path.exists()


def test_a_relative_uri_names_a_file_of_the_working_directory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    sql_store_at("sqlite:///file:%74okens.db?uri=true")
    path.chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        sql_store_at("sqlite:///file:%74okens.db?uri=true")
