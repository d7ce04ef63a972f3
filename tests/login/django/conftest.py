"""A migrated database, made once, and a copy of it for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.django_login_project import copied, migrated, site


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return migrated(tmp_path_factory.mktemp("django"))


@pytest.fixture
def database_path(migrated_database: Path, tmp_path: Path) -> Path:
    return copied(migrated_database, tmp_path)


@pytest.fixture
def django_site(database_path: Path) -> Iterator[None]:
    """A project whose database has all tables."""
    with site(database_path):
        yield
