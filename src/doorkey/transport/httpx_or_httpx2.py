"""The only file that tells httpx2 from httpx: which is installed, which is asked for.

httpx2 continues httpx under another name with the same interface, but their requests, auth classes and exceptions do
not cross. So everything here takes the library as an argument, and objects of one library are used with that library.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Final

from doorkey.errors import UsageError
from doorkey.runtime.extras import not_installed

NAMES: Final = ("httpx2", "httpx")
"""In the order of preference."""


def installed() -> tuple[str, ...]:
    """Return the names of those that are installed, the preferred one first."""
    return tuple(name for name in NAMES if find_spec(name) is not None)


def library(asked_for: str | ModuleType | None = None) -> Any:
    """Return httpx2 or httpx: the one asked for, by name or as the module itself, else the first that is installed.

    Raises `UsageError` for another library, and `MissingLibraryError` when it is not installed.
    """
    if isinstance(asked_for, ModuleType):
        asked_for = asked_for.__name__
    if asked_for is not None and asked_for not in NAMES:
        raise UsageError(f"this client runs on {' or '.join(NAMES)}, not on {asked_for}")
    wanted = (asked_for,) if asked_for else installed()
    for name in wanted:
        if find_spec(name) is not None:
            return import_module(name)
    missing = asked_for or NAMES[0]
    raise not_installed(missing)


def auth_class(own: type) -> type:
    """Return a class that is `own` and the `Auth` of each library the program has imported by now.

    `isinstance` then recognizes an auth object. To inherit from all that are installed would import them all, and the
    import of an unused one takes longer than everything here.
    """
    imported = (getattr(sys.modules.get(name), "Auth", None) for name in NAMES)
    return _joined(own, tuple(auth for auth in imported if auth is not None))


@cache
def _joined(own: type, others: tuple[type, ...]) -> type:
    return type(own.__name__, (own, *others), {}) if others else own


def transport_bases(name: str) -> tuple[type, ...]:
    """Return the class `name` (BaseTransport or AsyncBaseTransport) of all that are installed."""
    return tuple(dict.fromkeys(getattr(import_module(one), name) for one in installed()))
