"""The cost of a key in msal with msal-extensions, and in httpx-oauth2, which keeps its tokens in memory."""

from __future__ import annotations

import tempfile
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from bench import httpx_oauth2
from bench.names import HTTPX_OAUTH2
from bench.stores_fill import named
from bench.stores_keys import ENDPOINT, Growth, middle, sizes
from bench.stores_server import ID_TOKEN
from bench.stores_worker import Redirecting
from tests.servers.process import Unavailable

TOO_LONG = 2.0
"""Seconds for one operation above which no larger number of keys is measured."""


def among_msal(effort: float) -> list[Growth]:
    """Measure accounts in the locked file of msal-extensions, until one change takes too long."""
    msal: Any = import_module("msal")
    extensions: Any = import_module("msal_extensions")
    rows: list[Growth] = []
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes(effort):
            memory = msal.SerializableTokenCache()
            for number in range(size):
                memory.add(_issued(named(number)))
            place = Path(folder, str(size))
            place.write_text(memory.serialize(), encoding="utf-8")
            cache = extensions.PersistedTokenCache(extensions.FilePersistence(str(place)))
            app = msal.ClientApplication(
                "app",
                client_credential="secret",
                oidc_authority="https://as.example/tenant",
                token_cache=cache,
                http_client=Redirecting(ENDPOINT),
            )
            read, save = middle(50, size, partial(_read, app)), middle(3, size, partial(_save, cache))
            rows.append(Growth("msal", "file", size, read, save))
            if save > TOO_LONG:
                break
    return rows


def among_httpx_oauth2(effort: float) -> list[Growth]:
    """Measure the credentials in one process. Returns no rows if httpx-oauth2 cannot be installed."""
    try:
        found = httpx_oauth2.worker("cached", *map(str, sizes(effort)))
    except Unavailable:
        return []
    return [Growth(HTTPX_OAUTH2, "this process", one["keys"], one["seconds"], None, one["memory"]) for one in found]


def _read(app: Any, key: str) -> None:
    answer = app.acquire_token_silent_with_error(["api"], app.get_accounts(key)[0])
    assert answer["access_token"]


def _save(cache: Any, key: str) -> None:
    cache.add(_issued(key))


def _issued(key: str) -> dict[str, Any]:
    """Return the arguments with which msal stores a token of typical length for the account of this name."""
    who = {"sub": key, "preferred_username": key}
    token = {"access_token": "a" * 1000, "refresh_token": "r" * 500, "expires_in": 36_000, "token_type": "Bearer"}
    return {
        "client_id": "app",
        "scope": ["api"],
        "environment": "as.example",
        "token_endpoint": "https://as.example/tenant/token_endpoint",
        "response": {**token, "scope": "api", "id_token": ID_TOKEN, "id_token_claims": who},
    }
