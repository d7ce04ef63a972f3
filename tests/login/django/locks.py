"""A row of a `DjangoStore` that another connection keeps locked."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from doorkey.errors import StoreError
from doorkey.stores import Record, Store
from tests.support.django_login_project import forget_connections


@contextmanager
def locked_records(options: dict[str, Any]) -> Generator[None]:
    """Keep all records locked, for a project whose `OPTIONS` have these members too; a text is added to the text there.

    Another connection of the project holds the locks.
    """
    from django.db import connections

    used = connections["default"].settings_dict["OPTIONS"]
    before = dict(used)
    with closing(connections["default"].copy()) as other:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("UPDATE doorkey_login_storedrecord SET owner = ''")
        for name, value in options.items():
            used[name] = f"{before.get(name, '')} {value}".strip() if isinstance(value, str) else value
        forget_connections()  # the next one has the options
        try:
            yield
        finally:
            used.clear()
            used.update(before)
            forget_connections()
            other.rollback()


def check_locked_row(store: Store, options: dict[str, Any]) -> None:
    """Check that a store reads a locked row, and that a change of it ends by the timeout that `options` set."""
    assert store.commit("key", b"data", expected=0) == 1
    with locked_records(options):
        for change in (lambda: store.try_lease("key", 20), lambda: store.commit("key", b"new", expected=1)):
            with pytest.raises(StoreError, match=r"a row is locked, .* try again") as caught:
                change()
            assert caught.value.retryable
        assert store.load("key") == Record(1, b"data")
    assert store.commit("key", b"new", expected=1) == 2
