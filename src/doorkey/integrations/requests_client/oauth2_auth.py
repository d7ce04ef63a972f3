"""`OAuth2Auth`: a token as `auth=` on any session of requests."""

from __future__ import annotations

import requests
from requests.auth import AuthBase

from doorkey.auth.constructor import SignsRequests
from doorkey.auth.on_requests import RequestsAdapter


class OAuth2Auth(SignsRequests, RequestsAdapter, AuthBase):
    """Sends a token with each request of a session of requests. See `doorkey.auth.OAuth2Auth`."""

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token to a prepared request, and return it. Raises the error of the renewal without a token."""
        return self._sign_prepared(r)  # type: ignore[no-any-return]  # the adapter is not bound to one library
