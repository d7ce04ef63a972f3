"""Cookies: the names and attributes of the login's cookies, and the cookies of a request (RFC 6265bis §4.1, §5.6)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from doorkey.wire.cookies import cookie_pairs
from doorkey.wire.messages import Pairs


def cookies_of(headers: Pairs) -> Mapping[str, str]:
    """Return the cookies of a request by name. If a name is repeated, the first has the longest path (§5.6.3)."""
    found: dict[str, str] = {}
    for name, value in cookie_pairs(headers):
        found.setdefault(name, value.strip('"'))
    return found


@dataclass(frozen=True, slots=True)
class CookieRules:
    """The names and attributes of cookies at one base URL.

    prefix: the prefix of the names.
    secure: whether the base URL is https. If it is, names begin with `__Host-`, so that no other host and no http page
        can set these cookies.
    """

    prefix: str
    secure: bool

    def name(self, suffix: str = "") -> str:
        """Return the name of a cookie."""
        return f"{'__Host-' if self.secure else ''}{self.prefix}{suffix}"

    def set(self, name: str, value: str, seconds: float, *, cross_site: bool = False) -> tuple[str, str]:
        """Return the header that sets a cookie for `seconds`.

        cross_site: whether browsers send it with a POST from another site, which `response_mode=form_post` needs.
        """
        return "Set-Cookie", f"{name}={value}; Max-Age={math.floor(seconds)}; {self._attributes(cross_site)}"

    def drop(self, name: str, *, cross_site: bool = False) -> tuple[str, str]:
        """Return the header that removes a cookie."""
        return "Set-Cookie", f"{name}=; Max-Age=0; {self._attributes(cross_site)}"

    def _attributes(self, cross_site: bool) -> str:
        """Return the attributes. Browsers accept `SameSite=None` only with `Secure`, even from http on loopback."""
        secure = "; Secure" if self.secure or cross_site else ""
        return f"Path=/; HttpOnly; SameSite={'None' if cross_site else 'Lax'}{secure}"
