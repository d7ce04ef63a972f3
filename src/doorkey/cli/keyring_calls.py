"""Calls to the keyring of the operating system, with a time limit of two seconds.

Theory of operation. A keyring may be absent, locked behind a dialog that no user sees, or never respond. So each call
runs in a daemon thread, which is abandoned at the time limit and ends with the process. The package `keyring` is
imported in that thread too, because some of its backends connect during their import.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, TypeVar

from doorkey.cli.terminal import waiting

__all__: list[str] = []

T = TypeVar("T")

SERVICE: Final = "doorkey"
LIMIT: Final = 2.0
"""The time limit of one call, in seconds."""


class NoKeyringError(Exception):
    """The keyring cannot be used. The message is the reason, for instance `it did not respond within 2 seconds`."""


def read_secret(name: str) -> str | None:
    """Return the secret of the entry `name`, or None if there is no such entry. Raises `NoKeyringError`."""

    def call() -> str | None:
        from keyring import get_password

        return get_password(SERVICE, name)

    return _within_limit(call)


def keep_secret(name: str, secret: str) -> None:
    """Store `secret` as the entry `name`, and check that the keyring returns it. Raises `NoKeyringError`."""

    def call() -> str | None:
        from keyring import get_password, set_password

        set_password(SERVICE, name, secret)
        return get_password(SERVICE, name)

    if _within_limit(call) != secret:
        raise NoKeyringError("it does not return a secret that was stored in it")


def delete_secret(name: str) -> None:
    """Delete the entry `name`. Raises `NoKeyringError`."""

    def call() -> None:
        from keyring import delete_password

        delete_password(SERVICE, name)

    _within_limit(call)


def _within_limit(call: Callable[[], T]) -> T:
    results: list[T] = []
    errors: list[Exception] = []

    def work() -> None:
        try:
            results.append(call())
        except Exception as error:  # noqa: BLE001  # a third-party backend may raise any error
            errors.append(error)

    thread = threading.Thread(target=work, name="doorkey-keyring", daemon=True)
    thread.start()
    with waiting("waiting for the keyring of the operating system"):
        thread.join(LIMIT)
    if results:
        return results[0]
    if errors:
        raise NoKeyringError(_reason(errors[0]))
    raise NoKeyringError(f"it did not respond within {LIMIT:g} seconds")


def _reason(error: Exception) -> str:
    name = type(error).__name__
    reasons = {
        "ModuleNotFoundError": "the package keyring is not installed",
        "NoKeyringError": "this system has none",
        "KeyringLocked": "it is locked",
    }
    return reasons.get(name, f"it failed with {name}")
