"""The optional libraries: which extra of the package installs each one."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from doorkey.errors import MissingLibraryError

__all__: list[str] = []

EXTRAS: Final = {
    "requests": "requests",
    "httpx2": "httpx2",
    "httpx": "httpx",
    "aiohttp": "aiohttp",
    "redis": "redis",
    "sqlalchemy": "sql",
    "starlette": "dev",
    "uvicorn": "dev",
}
"""The extra that installs each library."""


def not_installed(name: str) -> MissingLibraryError:
    """Return the error for a library of `EXTRAS` that is not installed."""
    return MissingLibraryError(f"{name} is not installed: pip install 'doorkey[{EXTRAS[name]}]'", name=name)


def explained(error: ModuleNotFoundError) -> ImportError:
    """Return the error that names the extra to install, or `error` itself when no extra would help."""
    name = (error.name or "").partition(".")[0]
    return not_installed(name) if name in EXTRAS and find_spec(name) is None else error
