"""Realms, clients and users by their names, for a provider in this process or in another process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

from doorkey.arguments import did_you_mean, text
from doorkey.errors import UsageError, printable

T = TypeVar("T")

DEFAULT_CLIENT: Final = "client-1"
"""The default client of a token."""


def found(name: str, there: Mapping[str, T], what: str) -> T:
    """Return the value of `name` in `there`. Raises `UsageError` with the most similar name; `what` is the kind."""
    if text(name, f"the name of a {what}") not in there:
        known = f"; there are {', '.join(there)}"
        shown = printable(name, 80)
        raise UsageError(f"the provider has no {what} {shown!r}{did_you_mean(name, there, known)}")
    return there[name]
