"""Projects whose database is a real server."""

from __future__ import annotations

import uuid
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.support.django_login_project import site_at


@contextmanager
def postgres_project(origin: str) -> Generator[None]:
    """A project whose tables are in a schema of its own."""
    import psycopg
    from django.core.management import call_command

    place, schema = _place(origin), f"test_{uuid.uuid4().hex}"
    names = {"HOST": "host", "PORT": "port", "NAME": "dbname", "USER": "user", "PASSWORD": "password"}
    with psycopg.connect(autocommit=True, **{theirs: place[ours] for ours, theirs in names.items()}) as own:
        own.execute(f"CREATE SCHEMA {schema}".encode())  # hexadecimal digits
        options = {"ENGINE": "django.db.backends.postgresql", "OPTIONS": {"options": f"-c search_path={schema}"}}
        with site_at({**place, **options}):
            call_command("migrate", verbosity=0)
            yield
        own.execute(f"DROP SCHEMA {schema} CASCADE".encode())


@contextmanager
def mysql_project(origin: str) -> Generator[None]:
    """A project in MySQL or MariaDB. Its tables stay: the user of the server may make no database of its own."""
    from django.core.management import call_command

    import_module("pymysql").install_as_MySQLdb()
    with site_at({**_place(origin), "ENGINE": "django.db.backends.mysql"}):
        call_command("migrate", verbosity=0)
        yield


def _place(origin: str) -> dict[str, Any]:
    parts = urlsplit(origin)
    return {
        "NAME": parts.path.strip("/"),
        "HOST": parts.hostname,
        "PORT": parts.port,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
    }


PROJECTS = {"postgres": postgres_project, "mariadb": mysql_project, "mysql": mysql_project}
