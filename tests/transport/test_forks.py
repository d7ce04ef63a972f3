"""A forked child uses no connection of its parent: each could read the response to the other's request."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.serving_thread import serving_thread
from tests.transport.forking import KINDS

PROGRAM = Path(__file__).with_name("forking.py")
ROOT = PROGRAM.parents[2]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


class Numbering(BaseHTTPRequestHandler):
    """Answers each request with the number of its connection: a page, metadata, or a token."""

    protocol_version = "HTTP/1.1"
    numbers = itertools.count(1)

    def setup(self) -> None:
        super().setup()
        self.number = str(next(self.numbers))

    def do_GET(self) -> None:
        if ".well-known" not in self.path:
            return self.answer(self.number.encode())
        issuer = f"http://{self.headers['Host']}"
        return self.answer(json.dumps({"issuer": issuer, "connection": self.number}).encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(json.dumps({"access_token": self.number, "token_type": "Bearer"}).encode())

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it
        pass


@pytest.fixture(scope="module")
def connections() -> Iterator[dict[str, Any]]:
    """The connections of each kind of client, in one run of the program."""
    with serving_thread(ThreadingHTTPServer(("127.0.0.1", 0), Numbering)) as url:
        done = subprocess.run(
            [sys.executable, "-W", "ignore::DeprecationWarning", "-m", "tests.transport.forking", url],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        yield json.loads(done.stdout)


@pytest.mark.parametrize("kind", KINDS)
def test_a_child_opens_connections_of_its_own_and_leaves_those_of_its_parent(
    kind: str, connections: dict[str, Any]
) -> None:
    before, in_child, after = connections[kind]
    assert int(in_child) > int(before)
    assert after == before


def test_a_pool_that_another_thread_held_is_usable_in_the_child(connections: dict[str, Any]) -> None:
    assert all(number.isdecimal() for number in connections["locked"])
