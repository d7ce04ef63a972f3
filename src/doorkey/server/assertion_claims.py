"""Reading the claims of an assertion, be it a client's own or a grant (RFC 7519 §2, §4.1, RFC 7523 §3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast


def seconds(claims: Mapping[str, Any], name: str) -> float | None:
    """Return the POSIX seconds in a claim, or None if it is not there. Raises `ValueError` if it is no time."""
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1e12:
        raise ValueError(name)
    return float(value)


def audience_list(audience: object) -> list[object]:
    """Return whom an assertion is for, one or many, as a list."""
    return cast(list[object], audience) if isinstance(audience, list) else [audience]
