"""Forms that work only in the browser in which they were shown, and only on a page of this server.

A form contains a MAC over its subject and a cookie of the browser. No other page can compute this MAC.
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
    """The cookies of a browser: `browser` is its ID, which a login page sets, and `session` the key of its session."""

    browser: str | None = None
    session: str | None = None


def browser_cookie(at: At, cookies: Cookies) -> str:
    """Return the ID in the browser's cookie if this server issued it, otherwise a new ID."""
    known = cookies.browser
    if known and hmac.compare_digest(mac(at, "browser", known[:-43]).encode(), known[-43:].encode()):
        return known
    fresh = secrets.token_urlsafe(32)
    return fresh + mac(at, "browser", fresh)


def refuse_other_origins(request: Request, at: At) -> None:
    """Raise `InvalidRequest` for a form that a page of another origin sent. Browsers send the origin with each POST
    (Fetch §3.2)."""
    parts = urlsplit(at.issuer)
    sent, site = request.header("origin"), request.header("sec-fetch-site")
    if sent not in (None, f"{parts.scheme}://{parts.netloc}") or site not in (None, "same-origin", "none"):
        raise InvalidRequest(description="This form was sent by a page of another site.", status=400)


def check_csrf(form: Parameters, expected: str) -> str:
    """Return the field `csrf` of a form. Raises `InvalidRequest` unless it has the `expected` value."""
    csrf = form.get("csrf") or ""
    if not hmac.compare_digest(expected.encode(), csrf.encode()):
        raise InvalidRequest(description="This form was not made for your browser session.", status=400)
    return csrf


def mac(at: At, *parts: str) -> str:
    """Return a MAC of `parts` as Base64 text, with the key of this realm."""
    return base64.urlsafe_b64encode(at.keys.mac(*parts)).rstrip(b"=").decode()


def fingerprint(cookie: str) -> str:
    """Return the SHA-256 of a cookie, which a form contains instead of the cookie."""
    return hashlib.sha256(cookie.encode()).hexdigest()
