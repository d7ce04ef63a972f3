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
"""The extra that installs everything that a package of ours needs."""


def not_installed(name: str, package: str = "") -> MissingLibraryError:
    """Return the error for a library of `EXTRAS` that is not installed, and that a `package` of ours needs."""
    extra = _OF_PACKAGES.get(package, EXTRAS[name])
    return MissingLibraryError(f"{name} is not installed: pip install 'doorkey[{extra}]'", name=name)


def explained(error: ModuleNotFoundError, package: str = "") -> ImportError:
    """Return the error that names the extra that `package` needs, or `error` itself when no extra would help."""
    name = (error.name or "").partition(".")[0]
    return not_installed(name, package) if name in EXTRAS and find_spec(name) is None else error
