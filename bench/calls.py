"""Count the calls of doorkey's own functions on the path of an expired token: `python bench/calls.py`.

Frames of comprehensions are not counted. Each path runs once to import everything, and then several times. The run with
the fewest calls counts, because on a busy machine a caller may find no idle thread. An adapter in memory returns the
response; the thread of the exchange is counted too.
"""

import io
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import requests
from requests.adapters import BaseAdapter

from doorkey.integrations.requests_client import OAuth2Session
from doorkey.stores import MemoryStore
from doorkey.vault import TokenVault

RUNS = 10
ENDPOINT = "https://as.example/token"
BODY = b'{"access_token":"a","token_type":"Bearer","expires_in":300,"refresh_token":"r"}'
OLD = {"access_token": "o", "token_type": "Bearer", "refresh_token": "r", "expires_in": 300, "expires_at": 1}


class Canned(BaseAdapter):
    """An adapter that returns a token for every request."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Return a response without a connection."""
        from urllib3 import HTTPResponse

        response = requests.Response()
        response.status_code, response.request, response.url = 200, request, request.url or ""
        response.headers["Content-Type"] = "application/json"
        raw = HTTPResponse(io.BytesIO(BODY), {"Content-Type": "application/json"}, preload_content=False)
        response.raw = raw
        return response

    def close(self) -> None:
        """Do nothing: no connection is open."""


class Counter:
    """Counts calls while `counting` is True, in every thread that starts after it was created."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.counting = False
        threading.setprofile(self._profile)  # an exchange thread is reused: it starts with the first exchange
        sys.setprofile(self._profile)

    def _profile(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if self.counting and event == "call" and "/doorkey/" in code.co_filename and not code.co_name.startswith("<"):
            self.calls.append(code.co_filename)

    def count(self, path: Callable[[], object]) -> tuple[int, int]:
        """Return the number of calls that `path` makes, and the number of files that they are in."""
        self.calls, self.counting = [], True
        try:
            path()
        finally:
            self.counting = False
        return len(self.calls), len(set(self.calls))


def session() -> Callable[[], object]:
    """Return a call of a session whose token has expired."""
    made = OAuth2Session("c", "s", token_endpoint=ENDPOINT, token=OLD)
    made.mount("https://", Canned())
    return made.ensure_active_token


def vault() -> Callable[[], object]:
    """Return a call of a vault's key whose token has expired."""
    client = requests.Session()
    client.mount("https://", Canned())
    made = TokenVault(MemoryStore(), client_id="c", client_secret="s", token_endpoint=ENDPOINT, http_client=client)
    made.save("k", OLD)
    return lambda: made.source("k").token()


if __name__ == "__main__":
    counter = Counter()
    for make in (session, vault):
        make()()
        calls, files = min(counter.count(make()) for _ in range(RUNS))
        print(f"{make.__name__}: {calls} calls in {files} files")
