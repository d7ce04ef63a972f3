"""`DjangoStore` keeps the contract of every store in PostgreSQL, MariaDB and MySQL, and users are matched exactly."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from doorkey.stores import AsyncStore
from tests.login.django.locks import check_locked_row
from tests.login.django.servers import PROJECTS
from tests.login.django.test_store import _unmarked
from tests.servers.handle import RealServer
from tests.stores import test_contract as contract
from tests.support.every_store import Awaited, Place

pytestmark = [pytest.mark.anyio, pytest.mark.real_server, pytest.mark.xdist_group("django-on-servers")]


@pytest.fixture(scope="module", params=PROJECTS)
def project(request: pytest.FixtureRequest) -> Iterator[None]:
    """A project whose tables are in a real server, made once for all tests of this module."""
    server: RealServer = request.getfixturevalue(request.param)
    with PROJECTS[request.param](server.origin):
        yield


@pytest.fixture
def empty(project: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from doorkey.login.django.models import StoredRecord

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # the contract suite awaits, and Django notices
    StoredRecord.objects.all().delete()


@pytest.fixture
def place() -> Place:
    return Place("django", "")


@pytest.fixture
def stores(empty: None) -> contract.Pair:
    from doorkey.login.django.store import DjangoStore

    return contract.Pair(Awaited(DjangoStore()), Awaited(DjangoStore()))


@pytest.fixture
def store(stores: contract.Pair) -> AsyncStore:
    return stores.one


globals().update({name: _unmarked(test) for name, test in vars(contract).items() if name.startswith("test_")})


@pytest.mark.usefixtures("empty")
def test_users_are_matched_by_the_exact_pair() -> None:
    from doorkey.login.django.users import user_of_identity

    issuer = "https://issuer.example"
    first = user_of_identity(issuer, "alice", {})
    assert user_of_identity(issuer, "alice", {}) == first
    assert user_of_identity(issuer, "Alice", {}) != first
    assert user_of_identity(issuer, "alice ", {}) != first
    assert user_of_identity(issuer.upper(), "alice", {}) != first


@pytest.mark.usefixtures("empty")
def test_a_locked_row_is_read_and_a_change_of_it_ends_at_the_timeout_of_the_project() -> None:
    from django.db import connection

    from doorkey.login.django.store import DjangoStore

    option = {
        "postgresql": {"options": "-c lock_timeout=500ms"},
        "mysql": {"init_command": "SET SESSION innodb_lock_wait_timeout = 1"},
    }[connection.vendor]
    check_locked_row(DjangoStore(), option)
