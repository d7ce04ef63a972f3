"""The error reference, which has the code, the cause and the fix of each error class."""

from __future__ import annotations

import importlib
import pkgutil
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import doorkey
from doorkey.errors import OAuthError
from doorkey.login.errors import LoginError
from tools.docs.docstrings import prose
from tools.docs.names import home_of, is_public, link_of, modules, summary

PAGE = "reference/errors.md"
TITLE = "Errors: cause and fix"
FIXES = Path(__file__).with_name("fixes.toml")
GROUPS = (
    ("The call is wrong", "UsageError"),
    ("There is no usable response", "TransportError"),
    ("The server answered with an error", "ServerError"),
    ("The response breaks the protocol", "InvalidResponse"),
    ("A login failed", "LoginError"),
    ("A request to your API is rejected", "RequestRejected"),
    ("A token or a callback is not valid", "VerificationError"),
    ("All errors", "OAuthError"),
)
"""A heading for each branch; a class belongs to the first that it derives from."""


INTRO = (
    "Every error of doorkey is an [`OAuthError`](doorkey.errors.md#doorkey.errors.OAuthError). Its `code` is "
    "stable: compare it, not the message. `error` is the code that a server sent, if it sent one. Programs catch "
    "a class; the classes are ordered by who is at fault. A code that servers share with APIs, such as "
    "`invalid_token`, belongs to more than one class.\n"
)


@cache
def fixes() -> dict[str, str]:
    """Return the fix of each error, by the name of its class."""
    return tomllib.loads(FIXES.read_text("utf-8"))


@cache
def classes() -> tuple[type[OAuthError], ...]:
    """Return every error class of the package, each base class before its subclasses."""
    modules()
    for found in pkgutil.walk_packages(doorkey.__path__, "doorkey."):
        if "error" in found.name or "rejection" in found.name:
            importlib.import_module(found.name)
    seen: dict[type[OAuthError], None] = {OAuthError: None}

    def walk(kind: type[OAuthError]) -> None:
        for below in kind.__subclasses__():
            if below.__module__.startswith("doorkey.") and not below.__name__.startswith("_"):
                seen.setdefault(below)
                walk(below)

    walk(OAuthError)
    return tuple(seen)


def cause(kind: type[OAuthError]) -> str:
    """Return the cause of the error."""
    if issubclass(kind, LoginError) and kind is not LoginError:
        return f"{summary(kind)} {kind.problem}" if kind.problem != LoginError.problem else summary(kind)
    return summary(kind)


def fix(kind: type[OAuthError]) -> str:
    """Return the fix of the error, or an empty text."""
    if kind.__name__ in fixes():
        return fixes()[kind.__name__]
    if issubclass(kind, LoginError):
        return " ".join(filter(None, (kind.fix, kind.for_developers)))
    return ""


def page() -> str:
    """Return the page of the error reference."""
    parts = [
        f"# {TITLE}\n",
        INTRO,
    ]
    left = list(classes())
    by_heading: dict[str, list[type[OAuthError]]] = {}
    for kind in left:
        names = {base.__name__ for base in kind.__mro__}
        by_heading.setdefault(next(heading for heading, root in GROUPS if root in names), []).append(kind)
    for heading, _ in GROUPS:
        parts += [f"## {heading}\n", *map(entry, by_heading.get(heading, []))]
    return "\n".join(parts)


def entry(kind: Any) -> str:
    """Return the entry of one class."""
    shown = f"`{kind.__module__}.{kind.__name__}`"
    if is_public(kind):
        shown = f"[`{home_of(kind)}`]({link_of(home_of(kind)) or ''})"
    lines = [
        f"- **Class**: {shown}",
        f"- **Cause**: {prose(cause(kind), link_of)}",
        f"- **Fix**: {prose(fix(kind), link_of)}",
        f"- **Attributes**: {_attributes(kind)}",
    ]
    anchor = f"{kind.code}-{kind.__name__}".lower()
    return "\n".join([f"### `{kind.code}`: {kind.__name__} {{ #{anchor} }}\n", *lines, ""])


def _attributes(kind: Any) -> str:
    own = {name for base in kind.__mro__ for name in getattr(base, "__annotations__", ()) if not name.startswith("_")}
    documented = {"error", "description", "uri"} | own - {"args", "code", "by_error", "title", "problem", "fix"}
    return ", ".join(f"`{name}`" for name in sorted(documented))
