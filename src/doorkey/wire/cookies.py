"""The cookies of a request, as name and value (RFC 6265bis §4.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

_SPACE: Final = " \t"
"""What browsers remove around a name. Python's `strip` removes U+0085 and U+00A0 too: so a host beside this one, which
may not set the cookie ``__Host-x``, could set it by a name that begins with such a character."""


def cookie_pairs(headers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield name and value of each cookie in `headers`, a repeated one twice; a part without an equals sign is ignored.

    `headers`: all headers of the request, as pairs.
    """
    for name, content in headers:
        if name.lower() == "cookie":
            for pair in content.split(";"):
                key, equals, value = pair.strip(_SPACE).partition("=")
                if equals:
                    yield key, value
