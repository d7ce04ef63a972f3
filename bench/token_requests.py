"""Time added to a token request over a canned transport: `fetch_token` and a bare POST of the same form."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import httpx2
import requests
from requests.adapters import BaseAdapter

from bench import peers
from bench.added_time import SECONDS
from bench.names import AUTHLIB, BARE, OURS
from bench.row import Row, microseconds
from bench.server import Served
from bench.timing import Comparison, awaiting, blocking, compare
from doorkey.integrations import httpx_client, requests_client

MOST = 150e-6
"""Seconds that a blocking token request may add to a bare POST."""

ENDPOINT = "https://as.example/token"
CLIENT = ("client", "secret")
FORM = {"grant_type": "client_credentials"}
ANSWER = b'{"access_token":"%s","token_type":"Bearer","expires_in":3600}' % peers.TEXT.encode()
JSON = {"Content-Type": "application/json"}


class Canned(BaseAdapter):
    """A transport adapter of requests that returns a token."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        response = requests.Response()
        response.status_code = 200
        response.url = request.url or ""
        response.request = request
        response.headers.update(JSON)
        response.raw = io.BytesIO(ANSWER)
        return response

    def close(self) -> None: ...


def canned(request: httpx2.Request) -> httpx2.Response:
    """Return the response of `httpx2.MockTransport`."""
    return httpx2.Response(200, headers=JSON, content=ANSWER)


def measure(served: Served, effort: float) -> list[Row]:
    return [
        *_rows("requests", _on_requests(effort), MOST),
        *_rows("httpx2", _on_httpx2(effort), MOST),
        *_rows("httpx2 async", _on_httpx2_async(effort), None),
    ]


def _on_requests(effort: float) -> Comparison:
    bare: requests.Session = requests.Session()
    ours = requests_client.OAuth2Session(*CLIENT, token_endpoint=ENDPOINT)
    theirs = peers.authlib_requests.OAuth2Session(*CLIENT, token_endpoint=ENDPOINT)
    for session in (bare, ours, theirs):
        session.mount("https://", Canned())
    post: Callable[[], Any] = partial(bare.post, ENDPOINT, data=FORM, auth=CLIENT)
    return _compared({BARE: lambda: post().json(), **_fetching(ours, theirs)}, effort)


def _on_httpx2(effort: float) -> Comparison:
    how: Any = {"transport": httpx2.MockTransport(canned)}
    bare = httpx2.Client(**how)
    ours = httpx_client.OAuth2Client(*CLIENT, token_endpoint=ENDPOINT, **how)
    theirs = peers.authlib_httpx2.OAuth2Client(*CLIENT, token_endpoint=ENDPOINT, **how)
    post: Callable[[], Any] = partial(bare.post, ENDPOINT, data=FORM, auth=CLIENT)
    return _compared({BARE: lambda: post().json(), **_fetching(ours, theirs)}, effort)


def _on_httpx2_async(effort: float) -> Comparison:
    how: Any = {"transport": httpx2.MockTransport(canned)}
    with asyncio.Runner() as runner:
        bare = httpx2.AsyncClient(**how)
        ours = httpx_client.AsyncOAuth2Client(*CLIENT, token_endpoint=ENDPOINT, **how)
        theirs = peers.authlib_httpx2.AsyncOAuth2Client(*CLIENT, token_endpoint=ENDPOINT, **how)
        calls: dict[str, Callable[[], Any]] = {
            BARE: partial(bare.post, ENDPOINT, data=FORM, auth=CLIENT),
            **_fetching(ours, theirs),
        }
        contenders = {name: awaiting(call, runner.run) for name, call in calls.items()}
        return compare(contenders, limit=SECONDS * effort)


def _fetching(ours: Any, theirs: Any) -> dict[str, Callable[[], Any]]:
    return {
        OURS: partial(ours.fetch_token, grant_type="client_credentials"),
        AUTHLIB: partial(theirs.fetch_token, grant_type="client_credentials"),
    }


def _compared(calls: dict[str, Callable[[], Any]], effort: float) -> Comparison:
    return compare({name: blocking(call) for name, call in calls.items()}, limit=SECONDS * effort)


def _rows(library: str, found: Comparison, limit: float | None) -> list[Row]:
    ours, theirs = found.added_time(OURS, BARE), found.added_time(AUTHLIB, BARE)
    return [
        Row(
            f"{library}, in memory: time added to the POST of a token request",
            microseconds(ours.value),
            f"{AUTHLIB} {microseconds(theirs.value)}; {BARE} {microseconds(median(found.seconds[BARE]))}",
            "",
            f"≤ {microseconds(limit)}" if limit else "",
            ours.value <= limit if limit else None,
        )
    ]
