"""Where each kind of store is, and a key that no other test uses."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorkey.stores import Store
from tests.support.every_store import Place, place_of


@pytest.fixture
def key() -> str:
    """A key of this test's own: the servers are shared by all."""
    return f"user-{uuid.uuid4()}"


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """The kind that an indirect parameter names."""
    return place_of(request.param, request, tmp_path)


@pytest.fixture
def blocking(place: Place) -> Iterator[Store]:
    """The store at `place` that blocks."""
    store = place.open()
    yield store
    store.close()
