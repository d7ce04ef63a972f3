"""A log of the requests that a provider has processed, for tests: parameter names and statuses, but no values."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from doorkey.arguments import text
from doorkey.runtime.forks import ForkSafeLock
from doorkey.server.responses.parameters import has_form
from doorkey.wire.messages import Request

KEPT = 10_000
MAX_NAMES = 32
MAX_PATH = 200
HIDDEN = "…"
"""Replaces an unusual parameter name in the log, because a client may have sent a value without its name."""

_NAME = re.compile(r"[a-z][a-z_]{0,39}")
_GRANT_TYPE = re.compile(r"[a-z][a-z_:0-9-]{0,79}")


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One processed request.

    method: the HTTP method.
    path: the path of its URL, at most 200 characters.
    grant_type: the grant type of a token request, or None.
    parameters: the names in its form or query, in order, at most 32. `…` replaces a name that does not consist of
        lower-case letters and `_`.
    status: the status of the response; 0 if the connection was reset before the request was processed.
    """

    method: str
    path: str
    grant_type: str | None
    parameters: tuple[str, ...]
    status: int


class RequestLog:
    """The last 10,000 requests, in the order of their responses. Thread-safe."""

    def __init__(self) -> None:
        self._requests: deque[LoggedRequest] = deque(maxlen=KEPT)
        self._lock = ForkSafeLock()

    def add(self, request: LoggedRequest) -> None:
        """Add one request.

        request: the request, without its values.
        """
        with self._lock:
            self._requests.append(request)

    def clear(self) -> None:
        """Remove all requests."""
        with self._lock:
            self._requests.clear()

    def to(self, path_end: str) -> tuple[LoggedRequest, ...]:
        """Return the requests to an endpoint, oldest first.

        path_end: the end of their paths, for instance `/token`.

        Raises `UsageError` if it is not text.
        """
        text(path_end, "the end of a path")
        return tuple(request for request in self if request.path.endswith(path_end))

    def __iter__(self) -> Iterator[LoggedRequest]:
        with self._lock:
            return iter(tuple(self._requests))

    def __len__(self) -> int:
        return len(self._requests)


def logged(request: Request, path: str, status: int, *, body_is_form: bool = True) -> LoggedRequest:
    """Return the log entry of a request. It has the method, the path, the grant type and the parameter names.

    If `body_is_form` is False, the parameters are those of the query, and there is no grant type.
    """
    names = tuple(_shown(name) for name, _ in _pairs(request, body_is_form=body_is_form))
    return LoggedRequest(
        request.method[:MAX_PATH],
        path[:MAX_PATH],
        grant_type_of(request) if body_is_form else None,
        names,
        status,
    )


def grant_type_of(request: Request) -> str | None:
    """Return the grant type in the form or query of a request, or None if it is missing or malformed."""
    values = [value for name, value in _pairs(request) if name == "grant_type"]
    return values[0] if values and _GRANT_TYPE.fullmatch(values[0]) else None


def _pairs(request: Request, *, body_is_form: bool = True) -> list[tuple[str, str]]:
    encoded = request.content.decode("latin-1") if body_is_form and has_form(request) else urlsplit(request.url).query
    pairs: list[tuple[str, str]] = []
    for part in encoded.split("&", MAX_NAMES)[:MAX_NAMES]:
        # A part without "=" may be a value that was sent without its name.
        pairs += parse_qsl(part, keep_blank_values=True) if "=" in part else [(HIDDEN, "")] if part else []
    return pairs


def _shown(name: str) -> str:
    return name if _NAME.fullmatch(name) else HIDDEN
