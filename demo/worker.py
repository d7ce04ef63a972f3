"""A worker of the fleet: `python -m demo.worker` reads one job from stdin, calls the API and prints the status."""

from __future__ import annotations

import json
import sys
import threading
from typing import Any, NoReturn

import requests
from requests.adapters import HTTPAdapter

from demo.place import CLIENT, SECRET
from doorkey import TokenVault
from doorkey.stores import SQLiteStore

READY, RENEWING = "ready", "renewing"


def vault_at(path: str, issuer: str, http_client: requests.Session | None = None) -> TokenVault:
    """Return the vault of this process; all workers use the same file."""
    return TokenVault(SQLiteStore(path), client_id=CLIENT, client_secret=SECRET, issuer=issuer, http_client=http_client)


def call_for_alice(vault: TokenVault, api: str) -> int:
    """Call the API as alice."""
    with vault.client("alice") as session:
        return session.get(api).status_code


class Stopping(HTTPAdapter):
    """An adapter that reports the token request instead of sending it, and waits until its process is killed."""

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Stop at a token request."""
        if request.method == "POST":
            _stop()
        return super().send(request, *args, **options)


def _stop() -> NoReturn:
    print(RENEWING, flush=True)
    threading.Event().wait()
    raise AssertionError("the process was not killed")


def main() -> None:
    """Do one job."""
    print(READY, flush=True)
    job: dict[str, Any] = json.loads(sys.stdin.readline())
    client = None
    if job.get("stops_before_its_request"):
        client = requests.Session()
        client.mount("http://", Stopping())
    with vault_at(job["path"], job["issuer"], client) as vault:
        print(call_for_alice(vault, job["api"]), flush=True)


if __name__ == "__main__":
    main()
