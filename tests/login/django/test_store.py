"""`DjangoStore` keeps the contract of every store, and what is its own: the project's transactions and its database."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from doorkey.errors import RecordError, StoreError
from doorkey.stores import AsyncStore, Record, Store
from doorkey.stores.limits import KEPT, MAX_DATA
from tests.login.django.locks import check_locked_row
from tests.stores import test_contract as contract
from tests.support.django_login_project import database
from tests.support.every_store import Awaited, Place
from tests.support.fake_clock import Clock

pytestmark = pytest.mark.anyio


@pytest.fixture
def place() -> Place:
    return Place("django", "")


@pytest.fixture
def blocking(django_site: None, monkeypatch: pytest.MonkeyPatch) -> Store:
    from doorkey.login.django.store import DjangoStore

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # the contract suite awaits, and Django notices
    return DjangoStore()


@pytest.fixture
def stores(blocking: Store) -> contract.Pair:
    from doorkey.login.django.store import DjangoStore

    return contract.Pair(Awaited(blocking), Awaited(DjangoStore()))


@pytest.fixture
def store(stores: contract.Pair) -> AsyncStore:
    return stores.one


def _unmarked(test: Any) -> Any:
    """The test without the stores that its own module runs it on."""
    copy = FunctionType(test.__code__, test.__globals__, test.__name__, test.__defaults__, test.__closure__)
    copy.__annotations__ = test.__annotations__
    marks = [mark for mark in test.pytestmark if "place" not in str(mark.args[:1])]
    copy.pytestmark = marks  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]
    return copy


globals().update({name: _unmarked(test) for name, test in vars(contract).items() if name.startswith("test_")})


def test_the_contract_is_tested() -> None:
    assert len([name for name in globals() if name.startswith("test_")]) > 15


def row_of(version: int, data: bytes | None) -> str:
    """Write a row that no commit wrote, and return its key."""
    from doorkey.login.django.models import StoredRecord
    from doorkey.login.django.store import _digest

    StoredRecord.objects.create(key=_digest("planted"), version=version, data=data)
    return "planted"


@pytest.mark.parametrize(("version", "data"), [(0, b"x"), (-1, b"x"), (2**53, b"x"), (1, b"x" * (MAX_DATA + 1))])
def test_a_row_that_no_commit_wrote_is_no_record_and_can_be_replaced(
    blocking: Store, version: int, data: bytes
) -> None:
    key = row_of(version, data)
    with pytest.raises(RecordError):
        blocking.load(key)
    assert blocking.commit(key, b"new", expected=0) > 2**39
    found = blocking.load(key)
    assert found is not None
    assert found.data == b"new"


def test_versions_of_deleted_records_are_kept_for_a_day_and_then_swept(django_site: None, clock: Clock) -> None:
    from django.db import transaction

    from doorkey.login.django.models import StoredRecord
    from doorkey.login.django.store import DjangoStore
    from doorkey.stores.limits import SWEEP_EVERY

    store = DjangoStore(clock=clock)

    def save_many(name: str) -> None:
        with transaction.atomic():  # one write to the disk
            for number in range(SWEEP_EVERY):
                store.commit(f"{name}{number}", b"x", expected=0)

    store.commit("gone", b"x", expected=0)
    store.commit("gone", None, expected=1)
    save_many("a")
    assert StoredRecord.objects.count() == SWEEP_EVERY + 1
    clock.advance(KEPT + 1)
    save_many("b")
    assert StoredRecord.objects.filter(data__isnull=True).count() == 0
    assert StoredRecord.objects.count() == 2 * SWEEP_EVERY


def test_a_record_is_part_of_the_transaction_that_the_project_has_begun(blocking: Store) -> None:
    from django.db import transaction

    blocking.commit("taken", b"x", expected=0)
    with transaction.atomic():
        assert blocking.commit("taken", b"y", expected=0) == 0  # the failed insert ends no transaction
        assert blocking.commit("new", b"y", expected=0) == 1
    with transaction.atomic():
        blocking.commit("new", b"z", expected=1)
        transaction.set_rollback(True)
    assert blocking.load("new") == Record(1, b"y")


def test_a_database_without_the_table_is_a_store_error_that_names_the_command(blocking: Store, tmp_path: Path) -> None:
    with database(tmp_path / "empty.db"), pytest.raises(StoreError) as caught:
        blocking.load("key")
    assert "manage.py migrate" in str(caught.value)
    with database(tmp_path / "empty.db"), pytest.raises(StoreError):
        blocking.commit("key", b"top secret", expected=0)


@pytest.fixture
def threads() -> Iterator[list[threading.Thread]]:
    started: list[threading.Thread] = []
    yield started
    for thread in started:
        thread.join(60)
        assert not thread.is_alive()


def test_of_many_threads_that_commit_over_one_version_one_wins(
    blocking: Store, threads: list[threading.Thread]
) -> None:
    from django.db import connections

    won: list[bytes] = []
    failed: list[BaseException] = []
    together = threading.Barrier(4)

    def commit(data: bytes) -> None:
        try:
            together.wait(30)
            if blocking.commit("key", data, expected=0):
                won.append(data)
        except BaseException as error:  # noqa: BLE001  # shown by the test
            failed.append(error)
        finally:
            connections.close_all()

    for number in range(4):
        threads.append(threading.Thread(target=commit, args=(bytes([number]),)))
        threads[-1].start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert blocking.load("key") == Record(1, won[0])
    assert len(won) == 1


def test_a_locked_row_is_read_and_a_change_of_it_ends_at_the_timeout_of_the_project(blocking: Store) -> None:
    check_locked_row(blocking, {"timeout": 0.5})
