"""`OAuth2Auth`: a token as `auth=` on any client of httpx2 or httpx, blocking and awaiting."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from doorkey.auth.on_httpx import HttpxAdapter
from doorkey.values import NotPicklable


class OAuth2Auth(HttpxAdapter, NotPicklable):
    """Sends a token with each request, and another one when the API refuses it; see `doorkey.auth.OAuth2Auth`.

    `token` is a client of this family, a token source, credentials, or a mapping as `fetch_token` returns it.
    """

    def __init__(
        self, token: Any, token_placement: str = "header", *, allowed_origins: Iterable[str] | None = None, **how: Any
    ) -> None:
        from doorkey.auth.signer import signer_for

        self._signer = signer_for(token, token_placement=token_placement, allowed_origins=allowed_origins, **how)
