"""Finding JWTs in what a test has received."""

import re

_JWT = re.compile(r"eyJ[\w-]*\.eyJ[\w-]*\.[\w-]*")
"""The header and the claims begin with `{"`. A random text has one such beginning now and then, and not both."""


def jwts_in(text: str) -> list[str]:
    """Return all JWTs of `text`."""
    return _JWT.findall(text)
