"""The optional libraries, and the extra of the package that installs each one."""

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
    "uvicorn": "server",
    "h11": "server",
    "flask": "flask",
    "django": "django",
    "rest_framework": "rest-framework",
    "starlette": "starlette",
    "fastapi": "fastapi",
    "click": "cli",
    "rich": "cli",
    "segno": "cli",
    "keyring": "cli",
}
"""The extra that installs each library."""

_OF_PACKAGES: Final = {"doorkey.dev": "server", "doorkey.cli": "cli"}
"""The extra that installs all libraries of one of our packages."""


def not_installed(name: str, package: str = "") -> MissingLibraryError:
    """Return the error for a missing library `name` of `EXTRAS`; `package` is the package of ours that needs it."""
    extra = _OF_PACKAGES.get(package, EXTRAS[name])
    return MissingLibraryError(f"{name} is not installed: pip install 'doorkey[{extra}]'", name=name)


def explained(error: ModuleNotFoundError, package: str = "") -> ImportError:
    """Return the error that names the extra to install for `package`, or `error` itself if no extra would help."""
    name = (error.name or "").partition(".")[0]
    return not_installed(name, package) if name in EXTRAS and find_spec(name) is None else error
