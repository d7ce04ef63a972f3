"""The cookies of the provider's pages."""

from __future__ import annotations

import re

from doorkey.wire.cookies import cookie_pairs
from doorkey.wire.messages import Request

_VALUE = re.compile(r"[A-Za-z0-9_-]{20,100}")


def cookie_of(request: Request, name: str) -> str | None:
    """Return the value of the cookie `name`, or None if it is missing, ambiguous or not in the provider's format."""
    values = {value for key, value in cookie_pairs(request.headers) if key == name}
    return next((value for value in values if len(values) == 1 and _VALUE.fullmatch(value)), None)
