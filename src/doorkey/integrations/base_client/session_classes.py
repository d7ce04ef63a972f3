"""The session class for the client class of an HTTP library, and the default blocking session class."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from doorkey.sessions.client import OAuth2Client
from doorkey.transport.httpx_or_httpx2 import NAMES

__all__: list[str] = []


def default_session_class() -> Any:
    """Return `OAuth2Session` of requests, as in Authlib, or without requests, `OAuth2Client` of httpx2 or httpx."""
    if find_spec("requests") is None:
        from doorkey.integrations.httpx_client import OAuth2Client as OnHttpx

        return OnHttpx
    from doorkey.integrations.requests_client import OAuth2Session

    return OAuth2Session


def session_class_of(kind: type) -> type | None:
    """Return the session class for the HTTP client class `kind`, or None if there is none."""
    if issubclass(kind, OAuth2Client):
        return kind
    root = kind.__module__.partition(".")[0]
    if root == "requests" and kind.__name__ == "Session":
        from doorkey.integrations.requests_client import OAuth2Session

        return OAuth2Session
    if root in NAMES and kind.__name__ in ("Client", "AsyncClient"):
        from doorkey.integrations.httpx_client import on

        clients = on(root)
        return clients.OAuth2Client if kind.__name__ == "Client" else clients.AsyncOAuth2Client
    return None
