"""Where a user goes after a login: only to a page of the same site (open redirects, RFC 9700 §4.11)."""

from __future__ import annotations

import re
from typing import Final

MAX_NEXT: Final = 2048
"""Characters of a target, at most: it is kept in a cookie."""

_PATH: Final = re.compile(r"(?=/)(?:[A-Za-z0-9\-._~!$&'()*+,;=:]|%[0-9A-Fa-f]{2}|/(?!/))*")
"""A path with no `//`, no `@` and no backslash (RFC 3986 §3.3)."""
_UNSAFE_IN_PATH: Final = re.compile(r"%(?:25)*(?:2f|5c|40|0[0-9a-f]|1[0-9a-f]|7f)", re.IGNORECASE)
_CONTROL: Final = re.compile(r"%(?:25)*(?:0[0-9a-f]|1[0-9a-f]|7f)", re.IGNORECASE)
_PLAIN: Final = re.compile(r"[!-\[\]-~]*")
"""Printable ASCII without the space and the backslash, which browsers read as a slash."""


def checked_next(target: object, default: str = "/") -> str:
    """Return `target` if it is a path of this site, with query and fragment or without, else `default`.

    A target that a browser or a proxy might read as another site is not one: ``//evil``, ``/\\evil``, ``https:evil``,
    anything with a tab or another control character, ``@`` or encoded slashes in the path, and paths with dot segments.

    target: the text as it came, for instance from the parameter `next`; None and anything else give `default`.
    default: the path for all others.
    """
    if not isinstance(target, str) or len(target) > MAX_NEXT or not _PLAIN.fullmatch(target):
        return default
    path, *_ = re.split(r"[?#]", target, maxsplit=1)
    rest = target[len(path) :]
    if not _PATH.fullmatch(path) or _UNSAFE_IN_PATH.search(path) or _CONTROL.search(rest):
        return default
    if any(segment in (".", "..") for segment in path.replace("%2e", ".").replace("%2E", ".").split("/")):
        return default
    return target
