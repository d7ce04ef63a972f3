"""The cookies of a request, as names and values (RFC 6265bis §4.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

_SPACE: Final = " \t"
"""The characters that browsers remove around a name. Python's `strip` would also remove U+0085 and U+00A0. Then a
sibling host, which may not set the cookie ``__Host-x``, could set a cookie of that name with such a character before
it."""


def cookie_pairs(headers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield the name and value of each cookie, including repeated names. Parts without an equals sign are ignored.

    headers: all headers of the request, as pairs.
    """
    for name, content in headers:
        if name.lower() == "cookie":
            for pair in content.split(";"):
                key, equals, value = pair.strip(_SPACE).partition("=")
                if equals:
                    yield key, value
