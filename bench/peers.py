"""The clients that are measured, each with the same token."""

from __future__ import annotations

import io
import os
import time
from importlib import import_module
from typing import Any

import httpx2
import requests
from requests.adapters import BaseAdapter
from requests.auth import AuthBase

from bench.names import AUTHLIB, BARE, OURS, PLAIN_AUTH, REQUESTS_OAUTHLIB
from doorkey.integrations import httpx_client, requests_client

# All three are untyped. authlib prefers httpx2 to httpx since 1.9, like doorkey.
authlib_httpx2: Any = import_module("authlib.integrations.httpx_client")
authlib_requests: Any = import_module("authlib.integrations.requests_client")
requests_oauthlib: Any = import_module("requests_oauthlib")

TEXT = "eyJhbGciOiJSUzI1NiJ9." + "x" * 700 + "." + "y" * 342
"""A text with the length of a typical access token."""


def set_environment() -> None:
    """Let all libraries send requests to this machine over http and without a proxy."""
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # otherwise requests-oauthlib sends nothing over http
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"


def token(lifetime: int = 3600) -> dict[str, Any]:
    expires_at = int(time.time()) + lifetime
    members = {"access_token": TEXT, "token_type": "Bearer", "refresh_token": "refresh-0"}
    return {**members, "expires_in": 3600, "expires_at": expires_at}


def headers() -> dict[str, str]:
    return {"Authorization": f"Bearer {TEXT}"}


def httpx2_clients(**options: Any) -> dict[str, Any]:
    return {
        BARE: httpx2.Client(headers=headers(), **options),
        OURS: httpx_client.OAuth2Client("client", token=token(), **options),
        AUTHLIB: authlib_httpx2.OAuth2Client("client", token=token(), **options),
    }


def async_httpx2_clients(**options: Any) -> dict[str, Any]:
    return {
        BARE: httpx2.AsyncClient(headers=headers(), **options),
        OURS: httpx_client.AsyncOAuth2Client("client", token=token(), **options),
        AUTHLIB: authlib_httpx2.AsyncOAuth2Client("client", token=token(), **options),
    }


def requests_sessions(adapter: BaseAdapter | None = None) -> dict[str, requests.Session]:
    bare = requests.Session()
    bare.headers.update(headers())
    with_auth = requests.Session()
    with_auth.auth = _PlainAuth()
    sessions: dict[str, requests.Session] = {
        BARE: bare,
        PLAIN_AUTH: with_auth,
        OURS: requests_client.OAuth2Session("client", token=token()),
        AUTHLIB: authlib_requests.OAuth2Session("client", token=token()),
        REQUESTS_OAUTHLIB: requests_oauthlib.OAuth2Session("client", token=token()),
    }
    if adapter is not None:
        for session in sessions.values():
            session.mount("http://", adapter)
    return sessions


class _PlainAuth(AuthBase):
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["Authorization"] = f"Bearer {TEXT}"
        return r


class InMemory(BaseAdapter):
    """A transport adapter of requests that returns a response without a socket."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        assert "Authorization" in request.headers
        response = requests.Response()
        response.status_code = 200
        response.url = request.url or ""
        response.request = request
        response.raw = io.BytesIO(b'{"ok":true}')
        return response

    def close(self) -> None: ...


def answers(request: httpx2.Request) -> httpx2.Response:
    """Return the response of `httpx2.MockTransport`, which uses no socket."""
    assert "Authorization" in request.headers
    return httpx2.Response(200, content=b'{"ok":true}')
