"""The challenge in which an API says why it rejects a request (RFC 9110 §11.6.1, RFC 6750 §3)."""

from __future__ import annotations

import re
from typing import Final

MOST: Final = 8192
"""Characters of a challenge that are read."""

_PART: Final = re.compile(
    r"""(?P<name>[!#$%&'*+.^_`|~0-9A-Za-z-]+)          # an auth-scheme, or the name of a parameter
        (?:[ \t]*=[ \t]*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<token>[^\s,"=]+)))?""",
    re.VERBOSE,
)


def is_invalid_token(challenge: str | None) -> bool:
    """Return whether `challenge`, the value of `WWW-Authenticate`, has ``Bearer error="invalid_token"``.

    Several challenges may stand in one value, separated by commas (RFC 6750 §3.1).
    """
    scheme = ""
    for part in _PART.finditer((challenge or "")[:MOST]):
        value = part["token"] if part["quoted"] is None else part["quoted"]
        if value is None:
            scheme = part["name"].lower()
        elif scheme == "bearer" and part["name"].lower() == "error" and value == "invalid_token":
            return True
    return False
