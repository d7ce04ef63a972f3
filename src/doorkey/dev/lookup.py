"""Realms, clients and users by their names, for a provider in this process or in another process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

from doorkey.arguments import did_you_mean, text
from doorkey.errors import UsageError, printable

T = TypeVar("T")

DEFAULT_CLIENT: Final = "client-1"
"""The default client of a token."""


def lookup(name: str, by_name: Mapping[str, T], what: str) -> T:
    """Return the value of `name` in `by_name`. Raises `UsageError` with the most similar name; `what` is the kind."""
    if text(name, f"the name of a {what}") not in by_name:
        known = f"; there are {', '.join(by_name)}"
        shown = printable(name, 80)
        raise UsageError(f"the provider has no {what} {shown!r}{did_you_mean(name, by_name, known)}")
    return by_name[name]
