"""The embedded provider of `Login.dev()`: where it listens, and what it tells the developer."""

from __future__ import annotations

import itertools
import logging
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from doorkey.errors import UsageError
from doorkey.login import Login
from doorkey.login.web.development import FIRST_PORT, PORTS, port_of
from doorkey.login.web.messages import WebRequest
from tests.login.web.test_five_lines import logged_in_at
from tests.servers.process import made_ones_own

LIBRARIES = """
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name in sys.argv[2:] else find(name, *more)
from doorkey.errors import MissingLibraryError
from doorkey.login import Login
login = Login.dev({})
try:
    if sys.argv[1] == "Flask":
        import flask
        login.init_app(flask.Flask("app"))
    else:
        import starlette.applications
        login.mount(starlette.applications.Starlette())
except MissingLibraryError as error:
    print(error)
"""

PROGRAM = """
import logging
from doorkey.login import Login
from doorkey.login.web.messages import WebRequest
login = Login.dev({})
reply = login.respond("login", WebRequest("GET", "http", "127.0.0.1:8000", "/auth/login"))
print(dict(reply.headers)["Location"])
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory whose port is free, and that no other process of tests gets."""
    names = (tmp_path.resolve() / str(number) for number in itertools.count())
    found = next(name for name in names if made_ones_own(port_of(name)))
    found.mkdir()
    return found


def run_in(directory: Path) -> tuple[str, str]:
    """The origin of the provider of a program that runs in a directory, and the standard error of the program."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=directory, capture_output=True, text=True, check=True, timeout=300
    )
    location = urlsplit(done.stdout.strip())
    return f"{location.scheme}://{location.netloc}", done.stderr


def test_the_issuer_is_the_same_after_a_restart(directory: Path) -> None:
    first, told = run_in(directory)
    assert first == f"http://127.0.0.1:{port_of(directory)}"
    assert run_in(directory)[0] == first
    assert told.count("\n") == 1, told
    assert f"an embedded provider, for development, at {first}" in told
    assert "alice, password wonderland" in told


def test_another_port_is_used_if_that_of_the_directory_is_taken(directory: Path) -> None:
    port = port_of(directory)
    with socket.create_server(("127.0.0.1", port)):
        origin, told = run_in(directory)
    assert origin != f"http://127.0.0.1:{port}"
    assert "If another worker of the application uses it, run only one worker" in told


def test_the_port_follows_from_the_directory() -> None:
    ports = {port_of(Path(f"/srv/{number}")) for number in range(100)}
    assert len(ports) > 90
    assert all(FIRST_PORT <= port < FIRST_PORT + PORTS for port in ports)


def test_a_failed_login_is_logged_with_its_code_once(caplog: pytest.LogCaptureFixture) -> None:
    from doorkey.errors import ServerError
    from doorkey.login.errors import NoPendingLogin
    from doorkey.login.web.replies import error_reply

    request = WebRequest("GET", "http", "localhost", "/auth/callback")
    errors = ServerError("unauthorized_client", "Invalid client"), NoPendingLogin()
    with caplog.at_level(logging.INFO, "doorkey"):
        for error in errors:
            error_reply(error, request, retry_path=None)
    assert [one.getMessage().count(error.code) for one, error in zip(caplog.records, errors, strict=True)] == [1, 1]


@pytest.mark.parametrize(
    ("framework", "missing", "extras"),
    [
        ("Flask", ["uvicorn", "starlette"], "server"),
        ("Flask", ["uvicorn", "requests", "httpx2", "httpx"], "requests,server"),
        ("Flask", ["requests"], ""),
        ("Starlette", ["httpx2", "httpx"], "httpx2"),
        ("Starlette", ["uvicorn", "httpx2", "httpx"], "httpx2,server"),
    ],
)
def test_missing_libraries_are_named_when_the_login_is_added(framework: str, missing: list[str], extras: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIBRARIES, framework, *missing], capture_output=True, text=True, check=True, timeout=300
    )
    assert (f"pip install 'doorkey[{extras}]'" in done.stdout) if extras else not done.stdout


def test_the_callback_at_a_base_url_is_registered() -> None:
    login = Login.dev({"DOORKEY_BASE_URL": "https://app.example/shop"})
    reply = login.respond("login", WebRequest("GET", "https", "app.example", "/shop/auth/login"))
    url = dict(reply.headers)["Location"]
    assert logged_in_at(url, "alice", "wonderland").startswith("https://app.example/shop/auth/callback?")
    login.close()


def test_a_login_that_was_not_added_to_the_application_says_so() -> None:
    from flask import Flask
    from starlette.applications import Starlette
    from starlette.routing import Route
    from starlette.testclient import TestClient

    def home(*_: object) -> str:
        raise AssertionError("a user is needed")

    login = login_for_tests()
    app = Flask("app", static_folder=None)
    app.testing = True
    app.add_url_rule("/", view_func=login.required(home))
    with pytest.raises(UsageError, match=r"login\.init_app\(app\)"):
        app.test_client().get("/")

    async def page(request: object) -> None:
        raise AssertionError("a user is needed")

    client = TestClient(Starlette(routes=[Route("/", login.required(page))]))
    with pytest.raises(UsageError, match=r"login\.mount\(app\)"):
        client.get("/")


def login_for_tests() -> Login:
    return Login(issuer="https://op.example", client_id="app", sessions="memory:")
