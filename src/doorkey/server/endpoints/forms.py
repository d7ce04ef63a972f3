"""Forms that work only in the browser that they were shown in, and only on a page of this server.

A form holds a MAC over what it is about and a cookie of the browser, which no other page can know.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from doorkey.errors import InvalidRequest
from doorkey.server.context import At
from doorkey.server.responses.parameters import Parameters
from doorkey.wire.messages import Request


@dataclass(frozen=True, slots=True, repr=False)
class Cookies:
    """The cookies of a browser: its id, which came with a login page, and the key of its session."""

    browser: str | None = None
    session: str | None = None


def browser_cookie(at: At, cookies: Cookies) -> str:
    """Return the id of a browser: that of its cookie, if this server issued it, else a new one."""
    known = cookies.browser
    if known and hmac.compare_digest(mac(at, "browser", known[:-43]).encode(), known[-43:].encode()):
        return known
    fresh = secrets.token_urlsafe(32)
    return fresh + mac(at, "browser", fresh)


def refuse_other_origins(request: Request, at: At) -> None:
    """Refuse a form that a page of another origin sent; browsers state the origin of each POST (Fetch §3.2)."""
    parts = urlsplit(at.issuer)
    sent, site = request.header("origin"), request.header("sec-fetch-site")
    if sent not in (None, f"{parts.scheme}://{parts.netloc}") or site not in (None, "same-origin", "none"):
        raise InvalidRequest(description="This form was sent by a page of another site.", status=400)


def check_csrf(form: Parameters, expected: str) -> str:
    """Return the field `csrf` of a form. Raises `InvalidRequest` unless it is the `expected` one."""
    csrf = form.get("csrf") or ""
    if not hmac.compare_digest(expected.encode(), csrf.encode()):
        raise InvalidRequest(description="This form is not the one that was sent to you.", status=400)
    return csrf


def mac(at: At, *parts: str) -> str:
    """Return text that only this realm can compute from `parts`."""
    return base64.urlsafe_b64encode(at.keys.mac(*parts)).rstrip(b"=").decode()


def fingerprint(cookie: str) -> str:
    """Return what stands for a cookie in a form: its SHA-256."""
    return hashlib.sha256(cookie.encode()).hexdigest()
