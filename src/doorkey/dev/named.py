"""Realms, clients and users by their names: for a provider in this process, and for one that another process runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

from doorkey.arguments import did_you_mean, text
from doorkey.errors import UsageError, printable

T = TypeVar("T")

DEFAULT_CLIENT: Final = "client-1"
"""The client that a token is for if a test names none."""


def found(name: str, there: Mapping[str, T], what: str) -> T:
    """Return what is called `name` in `there`; `what` says its kind. Raises `UsageError` with the nearest name."""
    if text(name, f"the name of a {what}") not in there:
        known = f"; there are {', '.join(there)}"
        shown = printable(name, 80)
        raise UsageError(f"the provider has no {what} {shown!r}{did_you_mean(name, there, known)}")
    return there[name]
