"""`OAuth2Auth`: a token as `auth=` on any session of requests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import requests
from requests.auth import AuthBase

from doorkey.auth.on_requests import RequestsAdapter
from doorkey.values import NotPicklable


class OAuth2Auth(RequestsAdapter, AuthBase, NotPicklable):
    """Sends a token with each request, and another one when the API refuses it; see `doorkey.auth.OAuth2Auth`.

    `token` is an `OAuth2Session`, a token source, credentials, or a mapping as `fetch_token` returns it.
    """

    def __init__(
        self, token: Any, token_placement: str = "header", *, allowed_origins: Iterable[str] | None = None, **how: Any
    ) -> None:
        from doorkey.auth.signer import signer_for

        self._signer = signer_for(token, token_placement=token_placement, allowed_origins=allowed_origins, **how)

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        """Return the request with the token in it. Raises the renewal's error rather than send it without."""
        return self.sign_prepared(r)  # type: ignore[no-any-return]  # the adapter is not bound to one library
