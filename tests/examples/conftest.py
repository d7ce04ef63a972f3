"""Applications of examples/, served in this process on a free port."""

from __future__ import annotations

import runpy
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.types import ASGIApp

from tests.support.serving_thread import serving_thread


def _serve_asgi(app: ASGIApp, listening: socket.socket, stack: ExitStack) -> None:
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()

    def stop() -> None:
        server.should_exit = True
        thread.join()

    stack.callback(stop)


def _serve_wsgi(app: Any, listening: socket.socket, stack: ExitStack) -> None:
    from werkzeug.serving import make_server

    host, port = listening.getsockname()
    stack.enter_context(serving_thread(make_server(host, port, app, threaded=True, fd=listening.fileno())))


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, Path], str]]:
    """A function of an issuer and a file that serves the file's `app`, and returns its URL."""
    with ExitStack() as stack:

        def start(issuer: str, file: Path) -> str:
            monkeypatch.setenv("ISSUER", issuer)
            app = runpy.run_path(str(file))["app"]
            listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            if callable(getattr(app, "wsgi_app", None)):
                _serve_wsgi(app, listening, stack)
            else:
                _serve_asgi(app, listening, stack)
            return f"http://127.0.0.1:{listening.getsockname()[1]}"

        yield start
