"""The page that a user sees after a login must be a page of the same site (open redirects, RFC 9700 §4.11)."""

from __future__ import annotations

import re
from typing import Final

MAX_NEXT: Final = 2048
"""The maximum characters of a target, because it is stored in a cookie."""

_PATH: Final = re.compile(r"(?=/)(?:[A-Za-z0-9\-._~!$&'()*+,;=:]|%[0-9A-Fa-f]{2}|/(?!/))*")
"""A path with no `//`, no `@` and no backslash (RFC 3986 §3.3)."""
_UNSAFE_IN_PATH: Final = re.compile(r"%(?:25)*(?:2f|5c|40|0[0-9a-f]|1[0-9a-f]|7f)", re.IGNORECASE)
_CONTROL: Final = re.compile(r"%(?:25)*(?:0[0-9a-f]|1[0-9a-f]|7f)", re.IGNORECASE)
_PLAIN: Final = re.compile(r"[!-\[\]-~]*")
"""Printable ASCII without the space and the backslash, which browsers read as a slash."""


def checked_next(target: object, default: str = "/") -> str:
    """Return `target` if it is a path of this site, which may have a query and a fragment; otherwise return `default`.

    This rejects a target that a browser or a proxy might read as another site: ``//evil``, ``/\\evil``, ``https:evil``,
    anything with a tab or another control character, ``@`` or encoded slashes in the path, and paths with dot segments.
    It also rejects a target of more than 2048 characters.

    target: the unchecked text, for instance of the parameter `next`. A value of another type, also None, is rejected.
    default: the path for a rejected target.
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
