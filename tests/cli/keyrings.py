"""Keyrings for tests, by their full name in PYTHON_KEYRING_BACKEND: the real package `keyring` calls them."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked


class _Backend(KeyringBackend):
    priority = 1  # pyright: ignore[reportAssignmentType]  # a property for classes in keyring

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def get_password(self, service: str, username: str) -> str | None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


class InFile(_Backend):
    """Keeps its secrets in the file that TEST_KEYRING names."""

    def _read(self) -> dict[str, str]:
        path = Path(os.environ["TEST_KEYRING"])
        secrets: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        return secrets

    def _write(self, secrets: dict[str, str]) -> None:
        Path(os.environ["TEST_KEYRING"]).write_text(json.dumps(secrets))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._write({**self._read(), f"{service}/{username}": password})

    def get_password(self, service: str, username: str) -> str | None:
        return self._read().get(f"{service}/{username}")

    def delete_password(self, service: str, username: str) -> None:
        secrets = self._read()
        del secrets[f"{service}/{username}"]
        self._write(secrets)


class Locked(_Backend):
    """The user has not unlocked it."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked("the user said no")

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("the user said no")


class Hanging(_Backend):
    """Waits for a dialog that no user sees."""

    def set_password(self, service: str, username: str, password: str) -> None:
        threading.Event().wait()

    def get_password(self, service: str, username: str) -> str | None:
        threading.Event().wait()
        return None


class Broken(_Backend):
    """Its D-Bus service fails in its own way."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise ZeroDivisionError

    def get_password(self, service: str, username: str) -> str | None:
        raise ZeroDivisionError
