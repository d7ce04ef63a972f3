"""The libraries that step 1 compares, and how each creates a session that renews its token automatically."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from demo.place import CLIENT, SECRET
from doorkey.integrations.requests_client import OAuth2Session


def doorkey_session(token: Mapping[str, Any], url: str) -> Any:
    """Return a session of doorkey."""
    return OAuth2Session(CLIENT, SECRET, token=token, token_endpoint=url)


def authlib_session(token: Mapping[str, Any], endpoint: str) -> Any:
    """Return a session of Authlib, as its documentation shows it."""
    library = import_module("authlib.integrations.requests_client")  # untyped
    return library.OAuth2Session(CLIENT, SECRET, token=dict(token), token_endpoint=endpoint)


def requests_oauthlib_session(token: Mapping[str, Any], endpoint: str) -> Any:
    """Return a session of requests-oauthlib, as its documentation shows it."""
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # otherwise it sends nothing over http, even to this machine
    library = import_module("requests_oauthlib")  # untyped
    return library.OAuth2Session(
        CLIENT,
        token={**token, "expires_in": -10},
        auto_refresh_url=endpoint,
        auto_refresh_kwargs={"client_id": CLIENT, "client_secret": SECRET},
        token_updater=_forget,
    )


def _forget(_: object) -> None:
    """Do nothing. Without a `token_updater`, requests-oauthlib raises an error after each renewal."""


SESSIONS: Mapping[str, Callable[[Mapping[str, Any], str], Any]] = {
    "doorkey": doorkey_session,
    "authlib": authlib_session,
    "requests-oauthlib": requests_oauthlib_session,
}


def installed() -> dict[str, str]:
    """Return the version of each library that is installed."""
    found: dict[str, str] = {}
    for name in SESSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
