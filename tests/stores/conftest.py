"""The store at the place that a test names."""

from collections.abc import Iterator

import pytest

from doorkey.stores import Store
from tests.support.every_store import Place


@pytest.fixture
def blocking(place: Place) -> Iterator[Store]:
    """The store at `place` that blocks."""
    store = place.open()
    yield store
    store.close()
