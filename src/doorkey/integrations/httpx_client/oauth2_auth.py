"""`OAuth2Auth`: a token as `auth=` on any client of httpx2 or httpx, blocking and awaiting."""

from __future__ import annotations

from doorkey.auth.constructor import SignsRequests
from doorkey.auth.on_httpx import HttpxAdapter


class OAuth2Auth(SignsRequests, HttpxAdapter):
    """Sends a token with each request of a client of httpx2 or httpx; see `doorkey.auth.OAuth2Auth`."""
