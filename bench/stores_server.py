"""A token endpoint for the bench of the stores: a refresh token works once, and a second use ends the grant.

`python -m bench.stores_server` prints its port, and ends when its standard input ends. `/count` returns the counts and
resets them.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from base64 import urlsafe_b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

TOKEN_SECONDS = 0.1
"""The duration of a token request."""


def _part(members: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(members).encode()).decode().rstrip("=")


ID_TOKEN = ".".join([_part({"alg": "none"}), _part({"sub": "u", "iss": "i", "aud": "app", "exp": 1 << 34}), ""])
"""An ID token by which msal identifies an account. The bench does not verify it."""


class Grant:
    """The only grant."""

    lock = threading.Lock()
    turn = 0
    requests = 0
    refused = 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        with Grant.lock:
            counted = {"requests": Grant.requests, "refused": Grant.refused}
            Grant.requests = Grant.refused = 0
        self._answer(200, counted)

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        time.sleep(TOKEN_SECONDS)
        with Grant.lock:
            Grant.requests += 1
            if form["refresh_token"][0] != f"rt-{Grant.turn}":
                Grant.refused += 1
                self._answer(400, {"error": "invalid_grant"})
                return
            Grant.turn += 1
            token = {"access_token": f"at-{Grant.turn}", "refresh_token": f"rt-{Grant.turn}", "token_type": "Bearer"}
        self._answer(200, {**token, "expires_in": 3600, "scope": "api", "id_token": ID_TOKEN})

    def _answer(self, status: int, members: dict[str, Any]) -> None:
        body = json.dumps(members).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the standard library's name
        """Log nothing."""


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
