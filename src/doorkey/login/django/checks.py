"""Checks of the project's settings, which ``manage.py check`` and ``runserver`` run."""

from __future__ import annotations

from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.db import connections

from doorkey.errors import UsageError
from doorkey.login.web.backend import BlockingBackend

_MIDDLEWARE: Final = "doorkey.login.django.LoginMiddleware"
_BEFORE: Final = "django.contrib.auth.middleware.AuthenticationMiddleware"
_BACKEND: Final = "doorkey.login.django.LoginBackend"


def register_checks() -> None:
    """Register the checks with Django."""
    checks.register(check_settings, "doorkey")


def check_settings(app_configs: Any, **_: Any) -> list[checks.CheckMessage]:
    """Return the problems in the settings of the login."""
    found: list[checks.CheckMessage] = []
    middleware = [_path(one) for one in settings.MIDDLEWARE]
    if _MIDDLEWARE not in middleware:
        found.append(
            _error("E001", f'"{_MIDDLEWARE}" is missing in MIDDLEWARE: logouts at the provider have no effect')
        )
    elif _BEFORE not in middleware[: middleware.index(_MIDDLEWARE)]:
        found.append(_error("E002", f'"{_MIDDLEWARE}" must come after "{_BEFORE}" in MIDDLEWARE'))
    if _BACKEND not in [_path(one) for one in settings.AUTHENTICATION_BACKENDS]:
        found.append(_error("E003", f'"{_BACKEND}" is missing in AUTHENTICATION_BACKENDS: no user can log in'))
    try:
        login = _login()
    except UsageError as error:
        return [*found, _error("E004", str(error))]
    if _is_in_atomic_requests(login):
        found.append(
            checks.Warning(
                "the sessions of the login are in a database with ATOMIC_REQUESTS: a view that fails also undoes the "
                "renewal of a token, whose refresh token is then lost",
                hint="set sessions in DOORKEY_LOGIN to the URL of another store, such as redis://HOST",
                id="doorkey_login.W001",
            )
        )
    return found


def _login() -> Any:
    config: Any = apps.get_app_config("doorkey_login")
    login = config.project_login().login
    login._check(BlockingBackend)
    return login


def _is_in_atomic_requests(login: Any) -> bool:
    from doorkey.login.django.store import DjangoStore

    store = login._sessions
    return isinstance(store, DjangoStore) and bool(connections.databases[store.using].get("ATOMIC_REQUESTS"))


def _path(one: object) -> str:
    return (
        "doorkey.login.django." + str(one).rpartition(".")[2]
        if str(one).startswith("doorkey.login.django.")
        else str(one)
    )


def _error(number: str, message: str) -> checks.Error:
    return checks.Error(message, id=f"doorkey_login.{number}")
