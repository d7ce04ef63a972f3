"""Read one request of a browser from the bytes of a connection, within limits (RFC 9112).

A browser sends one small GET, or the POST of a form. Everything else is rejected with a status, so that no parser is
needed for a transfer coding, an upgrade or a second request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MAX_HEAD: Final = 16 * 1024
"""The maximum bytes of the request line and all headers."""
MAX_BODY: Final = 64 * 1024
"""The maximum bytes of a posted form."""
MAX_HEADERS: Final = 100

_LINE: Final = re.compile(rb"([A-Z]{1,20}) (/[\x21-\x7e]*) HTTP/1\.[01]")
_HEADER: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\x00]*?)[ \t]*")
_LENGTH: Final = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True, repr=False)
class HttpRequest:
    """A complete request. Its query and its body are secret."""

    method: str
    path: str
    query: str
    host: str
    content_type: str = ""
    body: bytes = b""

    def __repr__(self) -> str:
        return f"<HttpRequest {self.method}>"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A request that is rejected unread: the status of the response, and the reason as a sentence."""

    status: int
    reason: str


class RequestReader:
    """Reads the bytes of one connection."""

    __slots__ = ("_data", "_head", "_length")

    def __init__(self) -> None:
        self._data = bytearray()
        self._head: HttpRequest | None = None
        self._length = 0

    def feed(self, data: bytes) -> HttpRequest | Unreadable | None:
        """Return the request if `data` completes it, `Unreadable` if it is rejected, None if more data is needed."""
        self._data += data
        if self._head is None:
            if not b"A" <= self._data[:1] <= b"Z":  # TLS, for instance
                return Unreadable(400, "It is not an HTTP request.")
            end = self._data.find(b"\r\n\r\n", 0, MAX_HEAD)
            if end < 0:
                return Unreadable(431, "Its headers are too large.") if len(self._data) >= MAX_HEAD else None
            found = _head_of(bytes(self._data[:end]))
            if isinstance(found, Unreadable):
                return found
            self._head, self._length = found
            del self._data[: end + 4]
        if len(self._data) < self._length:
            return None
        head, body = self._head, bytes(self._data[: self._length])
        return HttpRequest(head.method, head.path, head.query, head.host, head.content_type, body)


def _head_of(head: bytes) -> tuple[HttpRequest, int] | Unreadable:
    """Return the request without its body, and the length of the body."""
    line, *lines = head.split(b"\r\n")
    parts = _LINE.fullmatch(line)
    headers: dict[str, str] = {}
    for header in lines:
        found = _HEADER.fullmatch(header)
        name = "" if found is None else found[1].decode("ascii").lower()
        if found is None or (name in headers and name in ("host", "content-length", "content-type")):
            return Unreadable(400, "Its headers are malformed.")
        headers[name] = found[2].decode("latin-1")
    if parts is None or len(lines) > MAX_HEADERS or "host" not in headers:
        return Unreadable(400, "It is malformed.")
    length = _length_of(headers)
    if isinstance(length, Unreadable):
        return length
    path, _, query = parts[2].decode("ascii").partition("?")
    request = HttpRequest(parts[1].decode("ascii"), path, query, headers["host"], headers.get("content-type", ""))
    return request, length


def _length_of(headers: dict[str, str]) -> int | Unreadable:
    if "transfer-encoding" in headers:
        return Unreadable(501, "It has a transfer coding.")
    given = headers.get("content-length", "0")
    if _LENGTH.fullmatch(given) is None:
        return Unreadable(400, "Its length is malformed.")
    length = int(given)
    return length if length <= MAX_BODY else Unreadable(413, "It is too large.")
