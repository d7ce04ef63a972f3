"""HTTP requests over a plain socket: a test writes all bytes of a request, and reads all bytes of the response."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit


def send(url: str, request: bytes) -> bytes:
    """Send the bytes of a request to the host and port of `url`, and return the whole response."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=60) as sock:
        sock.sendall(request)
        return received(sock)


def received(sock: socket.socket) -> bytes:
    """Return what comes until the end of the connection."""
    pieces: list[bytes] = []
    while piece := sock.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def get(url: str, **headers: str) -> bytes:
    """Return the response to a GET."""
    parts = urlsplit(url)
    lines = [f"{name}: {value}" for name, value in {"Host": parts.netloc, **headers}.items()]
    return send(url, "\r\n".join([f"GET {parts.path}?{parts.query} HTTP/1.1", *lines, "", ""]).encode())


def status_of(response: bytes) -> int:
    return int(response.split(b" ", 2)[1])
