"""`OAuth2Auth`: one object that requests, httpx2, httpx (blocking and awaiting), aiohttp and niquests accept."""

from __future__ import annotations

from typing import Any

from doorkey.auth.constructor import SignsRequests
from doorkey.auth.on_aiohttp import AiohttpAdapter
from doorkey.auth.on_httpx import HttpxAdapter
from doorkey.auth.on_requests import RequestsAdapter


class OAuth2Auth(SignsRequests, HttpxAdapter, RequestsAdapter, AiohttpAdapter):
    """Sends a token with each request. If the API rejects it, sends the request once more with another token.

    Pass it as `auth=` to requests, niquests, httpx2 and httpx, or in `middlewares=` to aiohttp. The
    constructor is the same for every library.
    """

    def __call__(self, request: Any, handler: Any = None) -> Any:
        """Sign a prepared request of requests or niquests. With a `handler`, act as a client middleware of aiohttp."""
        return self._sign_prepared(request) if handler is None else self._sign_and_send(request, handler)
