"""A process that shares a grant. For each line of its input it gets a token, and prints how long it waited.

`python -m bench.stores_worker <library> <kind> <address> <endpoint>`; each line is the time that its clock must show.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from doorkey import stores
from doorkey.errors import OAuthError
from doorkey.vault import TokenVault

KEY = "user-42"


def store_at(kind: str, address: str) -> Any:
    made = {"sqlite": "SQLiteStore", "redis": "RedisStore", "postgres": "SQLStore"}[kind]
    return getattr(stores, made)(address)


def vault_of(store: Any, endpoint: str, **options: Any) -> TokenVault:
    """Return a vault for the client that is measured."""
    return TokenVault(store, client_id="app", client_secret="secret", token_endpoint=endpoint, **options)


def with_doorkey(kind: str, address: str, endpoint: str, now: Callable[[], float]) -> Callable[[], str]:
    source = vault_of(store_at(kind, address), endpoint, clock=now).source(KEY)
    return lambda: source.token().access_token.reveal()  # noqa: PLW0108  # a new token object for each call


def with_lock_only(kind: str, address: str, endpoint: str, now: Callable[[], float]) -> Callable[[], str]:
    """Return a typical hand-written solution: a file lock around the refresh, without a second read under the lock."""
    import fcntl

    import requests

    session = requests.Session()

    def token() -> str:
        with open(address, encoding="utf-8") as file:  # noqa: PTH123
            members = json.load(file)
        if members["expires_at"] > now():
            return str(members["access_token"])
        with open(address + ".lock", "w", encoding="utf-8") as lock:  # noqa: PTH123
            fcntl.flock(lock, fcntl.LOCK_EX)
            form = {"grant_type": "refresh_token", "refresh_token": members["refresh_token"]}
            answer = session.post(endpoint, form, auth=("app", "secret"))
            answer.raise_for_status()
            new = {**answer.json(), "expires_at": now() + 3600}
            with open(address, "w", encoding="utf-8") as file:  # noqa: PTH123
                json.dump(new, file)
        return str(new["access_token"])

    return token


def with_msal(kind: str, address: str, endpoint: str, now: Callable[[], float]) -> Callable[[], str]:
    """Return a solution with msal and the locked file of msal-extensions. Its calls of `time` are patched."""
    from importlib import import_module

    msal: Any = import_module("msal")
    extensions: Any = import_module("msal_extensions")
    time.time = now
    cache = extensions.PersistedTokenCache(extensions.FilePersistence(address))
    app = msal.ClientApplication(
        "app",
        client_credential="secret",
        oidc_authority="https://as.example/tenant",
        token_cache=cache,
        http_client=Redirecting(endpoint),
    )
    accounts = app.get_accounts()

    def token() -> str:
        answer: Any = app.acquire_token_silent_with_error(["api"], accounts[0])
        if not answer or "access_token" not in answer:
            raise OAuthError(answer["error"] if answer else None)
        return str(answer["access_token"])

    return token


class Redirecting:
    """The HTTP client for msal, which sends all requests to the bench's server."""

    def __init__(self, endpoint: str) -> None:
        import requests

        self._session, self._endpoint = requests.Session(), endpoint

    def get(self, url: str, **_: Any) -> Any:
        named = {name: f"https://as.example/tenant/{name}" for name in ("authorization_endpoint", "token_endpoint")}
        return Canned(json.dumps({"issuer": "https://as.example/tenant", **named}))

    def post(self, url: str, *, data: Any = None, headers: Any = None, **_: Any) -> Any:
        return self._session.post(self._endpoint, data=data, headers=headers)

    def close(self) -> None:
        self._session.close()


class Canned:
    """A response with this text."""

    status_code = 200

    def __init__(self, text: str) -> None:
        self.text, self.headers = text, dict[str, str]()

    def raise_for_status(self) -> None:
        """Do nothing: the status is not an error."""


MAKERS = {"doorkey": with_doorkey, "a lock alone": with_lock_only, "msal": with_msal}


def main() -> None:
    library, kind, address, endpoint = sys.argv[1:]
    at = [float(sys.stdin.readline())]
    token = MAKERS[library](kind, address, endpoint, lambda: at[0])
    print("ready", flush=True)
    for line in sys.stdin:
        at[0] = float(line)
        began = time.perf_counter()
        try:
            answer: dict[str, Any] = {"token": token()}
        except (OAuthError, OSError) as error:
            answer = {"error": type(error).__name__}
        print(json.dumps({**answer, "seconds": time.perf_counter() - began}), flush=True)


if __name__ == "__main__":
    main()
