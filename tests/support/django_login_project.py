"""A Django project in this process, with the login, a database in a file, and the usual applications."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from tests.support.django_project import project

APPS = (
    *("django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages"),
    *("django.contrib.admin", "doorkey.login.django"),
)
MIDDLEWARE = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
)
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


def database(path: Path) -> AbstractContextManager[None]:
    """Use the file at `path` as the project's database."""
    return database_at({"ENGINE": "django.db.backends.sqlite3", "NAME": str(path), "OPTIONS": {"timeout": 60}})


@contextmanager
def database_at(place: dict[str, Any]) -> Generator[None]:
    """Use the database at `place`, in the words of `DATABASES`, which `override_settings` cannot change."""
    from asgiref.local import Local
    from django.db import connections
    from django.db.backends.signals import connection_created

    opened: list[Any] = []  # each thread and each task has its own, which nothing closes when it ends

    def remember(connection: Any, **_: Any) -> None:
        opened.append(connection)

    handler: Any = connections
    before, kept = connections.settings, handler._connections
    fresh: Any = {"default": place}
    connections.settings = connections.configure_settings(fresh)
    # A task inherits the connections of the context in which it begins, and there may be some of a project without a
    # database: while Playwright has a browser, an event loop runs in the thread of the tests.
    handler._connections = Local(thread_critical=True)
    connection_created.connect(remember)
    try:
        yield
    finally:
        connection_created.disconnect(remember)
        connections.close_all()
        connections.settings, handler._connections = before, kept
        for connection in opened:
            connection.inc_thread_sharing()
            connection.close()


def forget_connections() -> None:
    """Close the connections of this thread, and let the next ones be to the database of now."""
    from django import db

    connections: Any = db.connections
    connections.close_all()
    of_thread = connections._connections
    for alias in list(connections):
        if hasattr(of_thread, alias):
            delattr(of_thread, alias)


def site(path: Path, **settings: Any) -> AbstractContextManager[None]:
    """The project with the file at `path` as its database, and `settings` in place of its own."""
    return _site(database(path), settings)


def site_at(place: dict[str, Any], **settings: Any) -> AbstractContextManager[None]:
    """The project with the database at `place`, in the words of `DATABASES`."""
    return _site(database_at(place), settings)


@contextmanager
def _site(used: AbstractContextManager[None], settings: dict[str, Any]) -> Generator[None]:
    own: dict[str, Any] = {
        "INSTALLED_APPS": list(APPS),
        "MIDDLEWARE": list(MIDDLEWARE),
        "TEMPLATES": TEMPLATES,
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
        "SECRET_KEY": "a secret of a test, with more than fifty characters in it: 0123456789",
    }
    with project(**{**own, **settings}), used:
        yield


def migrated(folder: Path) -> Path:
    """A database with all tables, made once in `folder`."""
    path = folder / "template.db"
    with site(path):
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
    return path


def copied(template: Path, folder: Path) -> Path:
    """A copy of the database `template` in `folder`."""
    return Path(shutil.copy(template, folder / "site.db"))
