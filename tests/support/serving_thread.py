"""A server of `http.server`, or of werkzeug, in a thread of a test."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from socketserver import TCPServer


@contextmanager
def serving_thread(server: TCPServer) -> Generator[str]:
    """Serve until the end of the block, and yield the URL of the server, without a path."""
    host, port = str(server.server_address[0]), server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
