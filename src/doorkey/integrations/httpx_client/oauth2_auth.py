"""`OAuth2Auth`: a token as `auth=` on any blocking or asynchronous client of httpx2 or httpx."""

from __future__ import annotations

from doorkey.auth.constructor import SignsRequests
from doorkey.auth.on_httpx import HttpxAdapter


class OAuth2Auth(SignsRequests, HttpxAdapter):
    """Sends a token with each request of a client of httpx2 or httpx. See `doorkey.auth.OAuth2Auth`."""
