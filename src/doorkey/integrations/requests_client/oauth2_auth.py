"""`OAuth2Auth`: a token as `auth=` on any session of requests."""

from __future__ import annotations

import requests
from requests.auth import AuthBase

from doorkey.auth.constructor import SignsRequests
from doorkey.auth.on_requests import RequestsAdapter


class OAuth2Auth(SignsRequests, RequestsAdapter, AuthBase):
    """Sends a token with each request of a session of requests; see `doorkey.auth.OAuth2Auth`."""

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """Return the request with the token in it. Raises the renewal's error rather than sending it without."""
        return self._sign_prepared(r)  # type: ignore[no-any-return]  # the adapter is not bound to one library
