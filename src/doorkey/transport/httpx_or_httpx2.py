"""The only file that distinguishes httpx2 from httpx: the installed library, and the requested one.

httpx2 continues httpx under another name with the same interface, but their requests, auth classes and exceptions are
incompatible. So the functions of this package get the library as an argument, and use its objects with that library.
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
"""The names of the libraries, the preferred one first."""


def installed() -> tuple[str, ...]:
    """Return the names of the installed libraries, the preferred one first."""
    return tuple(name for name in NAMES if find_spec(name) is not None)


def library(requested: str | ModuleType | None = None) -> Any:
    """Return the module httpx2 or httpx.

    requested: the name of the library, or the module itself; None means the first one that is installed.

    Raises `UsageError` for another library, and `MissingLibraryError` if it is not installed.
    """
    if isinstance(requested, ModuleType):
        requested = requested.__name__
    if requested is not None and requested not in NAMES:
        raise UsageError(f"this client runs on {' or '.join(NAMES)}, not on {requested}")
    names = (requested,) if requested else installed()
    for name in names:
        if find_spec(name) is not None:
            return import_module(name)
    missing = requested or NAMES[0]
    raise not_installed(missing)


def auth_class(own: type) -> type:
    """Return a class that inherits from `own` and from `Auth` of each library that the program has imported so far.

    The clients of these libraries accept only instances of their `Auth`. Other installed libraries are not imported for
    that, because it would take too long.
    """
    imported = (getattr(sys.modules.get(name), "Auth", None) for name in NAMES)
    return _joined(own, tuple(auth for auth in imported if auth is not None))


@cache
def _joined(own: type, others: tuple[type, ...]) -> type:
    return type(own.__name__, (own, *others), {}) if others else own


def transport_bases(name: str) -> tuple[type, ...]:
    """Return the class `name` (BaseTransport or AsyncBaseTransport) of each installed library."""
    return tuple(dict.fromkeys(getattr(import_module(one), name) for one in installed()))
