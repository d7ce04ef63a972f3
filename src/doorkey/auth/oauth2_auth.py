"""`OAuth2Auth`: one object that requests, httpx2, httpx (blocking and awaiting), aiohttp and niquests accept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from doorkey.auth.on_aiohttp import AiohttpAdapter
from doorkey.auth.on_httpx import HttpxAdapter
from doorkey.auth.on_requests import RequestsAdapter
from doorkey.values import NotPicklable


class OAuth2Auth(HttpxAdapter, RequestsAdapter, AiohttpAdapter, NotPicklable):
    """Sends a token with each request, and another one, once, when the API answers 401.

    `whose` is credentials (then `issuer`, `token_endpoint` or `metadata` say whom to ask, and the other options are
    those of `TokenSource`), a token source, a session of `doorkey.integrations`, or a token as a mapping. The token
    goes to `allowed_origins` alone where they are named (URLs of which scheme, host and port count). A request that
    has an `Authorization` header of its own is left as it is.

    Give it as `auth=` to requests, niquests, httpx2 and httpx, or in `middlewares=` to aiohttp. Raises the renewal's
    error rather than send a request without its token, and `UsageError` for an origin that is not allowed.
    """

    def __init__(
        self,
        whose: Any,
        token_placement: str = "header",
        *,
        issuer: str | None = None,
        token_endpoint: str | None = None,
        allowed_origins: Iterable[str] | None = None,
        **options: Any,
    ) -> None:
        named = {"issuer": issuer, "token_endpoint": token_endpoint}
        how = {**options, **{name: value for name, value in named.items() if value is not None}}
        from doorkey.auth.signer import signer_for

        self._signer = signer_for(whose, token_placement=token_placement, allowed_origins=allowed_origins, **how)

    def __call__(self, request: Any, handler: Any = None) -> Any:
        """Sign a prepared request of requests or niquests; with a `handler`, act as a client middleware of aiohttp."""
        return self.sign_prepared(request) if handler is None else self.sign_and_send(request, handler)
