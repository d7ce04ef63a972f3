"""The tables of the login in PostgreSQL, where a failed statement ends a transaction."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from doorkey.errors import RecordError
from doorkey.stores import Record
from doorkey.stores.limits import MAX_DATA
from tests.login.django.servers import postgres_project
from tests.servers.handle import RealServer

pytestmark = pytest.mark.real_server


@pytest.fixture
def in_postgres(postgres: RealServer) -> Iterator[None]:
    """A project whose tables are in a schema of this test's own."""
    with postgres_project(postgres.origin):
        yield


@pytest.mark.usefixtures("in_postgres")
def test_records_keep_their_contract_in_a_transaction_of_the_project() -> None:
    from django.db import transaction

    from doorkey.login.django.models import StoredRecord
    from doorkey.login.django.store import DjangoStore, _digest

    store = DjangoStore()
    assert [store.commit("key", bytes([n]), expected=n) for n in range(3)] == [1, 2, 3]
    assert store.load("key") == Record(3, b"\x02")
    with transaction.atomic():
        assert store.commit("key", b"lost", expected=0) == 0
        assert store.commit("Key", b"\x00\xff", expected=0) == 1, "the failed insert has ended no transaction"
        lease = store.try_lease("key", 60)
        assert lease is not None
        assert store.try_lease("key", 60) is None
        store.release(lease)
        assert store.try_lease("key", 60) is not None
    assert store.load("Key") == Record(1, b"\x00\xff")
    assert store.commit("key", None, expected=3) == 4
    assert store.load("key") is None
    assert store.commit("key", b"again", expected=0) == 5
    StoredRecord.objects.create(key=_digest("planted"), version=1, data=b"x" * (MAX_DATA + 1))
    with pytest.raises(RecordError):
        store.load("planted")
    assert store.commit("planted", b"new", expected=0) > 2**39
