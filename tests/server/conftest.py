"""Tests that take `store` run on each kind of records."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from doorkey.server.storage.records import MemoryRecords, Records
from doorkey.server.storage.sqlite import SQLiteRecords


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Records]:
    store: Records = MemoryRecords() if request.param == "memory" else SQLiteRecords(tmp_path / "store.sqlite")
    yield store
    store.close()
