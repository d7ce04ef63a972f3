"""The HTTP session of frameworks whose views block: that of requests, as in Authlib, else that of httpx2 or httpx."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any


def blocking_session() -> Any:
    """Return `OAuth2Session`, or `OAuth2Client` if requests is not installed."""
    if find_spec("requests") is None:
        from doorkey.integrations.httpx_client import OAuth2Client

        return OAuth2Client
    from doorkey.integrations.requests_client import OAuth2Session

    return OAuth2Session
