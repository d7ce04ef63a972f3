"""The requests that a provider answered, for tests to look at: parameter names and statuses, never a value."""

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
"""Stands in the log for a name that no parameter has: a client may have sent a value without its name."""

_NAME = re.compile(r"[a-z][a-z_]{0,39}")
_GRANT_TYPE = re.compile(r"[a-z][a-z_:0-9-]{0,79}")


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request that was answered.

    `parameters` are the names in its form or query, in order, at most 32 of them; `…` is a name that is not made of
    lower-case letters and `_`. The `status` of a request that was reset before anything was done is 0.
    """

    method: str
    path: str
    grant_type: str | None
    parameters: tuple[str, ...]
    status: int


class RequestLog:
    """The last requests in the order they were answered. Safe to share between threads."""

    def __init__(self) -> None:
        self._requests: deque[LoggedRequest] = deque(maxlen=KEPT)
        self._lock = ForkSafeLock()

    def add(self, request: LoggedRequest) -> None:
        """Note one request."""
        with self._lock:
            self._requests.append(request)

    def clear(self) -> None:
        """Forget all requests so far."""
        with self._lock:
            self._requests.clear()

    def to(self, path_end: str) -> tuple[LoggedRequest, ...]:
        """Return the requests whose path ends in `path_end`. Raises `UsageError` for anything but text."""
        text(path_end, "the end of a path")
        return tuple(request for request in self if request.path.endswith(path_end))

    def __iter__(self) -> Iterator[LoggedRequest]:
        with self._lock:
            return iter(tuple(self._requests))

    def __len__(self) -> int:
        return len(self._requests)


def logged(request: Request, path: str, status: int, *, body_is_form: bool = True) -> LoggedRequest:
    """Return what is kept of a request: a bounded path, the names of its parameters, and its grant type."""
    names = tuple(_shown(name) for name, _ in _pairs(request, body_is_form=body_is_form))
    return LoggedRequest(
        request.method[:MAX_PATH],
        path[:MAX_PATH],
        grant_type_of(request) if body_is_form else None,
        names,
        status,
    )


def grant_type_of(request: Request) -> str | None:
    """Return the grant type in the form or query of a request, or None if there is none that looks like one."""
    values = [value for name, value in _pairs(request) if name == "grant_type"]
    return values[0] if values and _GRANT_TYPE.fullmatch(values[0]) else None


def _pairs(request: Request, *, body_is_form: bool = True) -> list[tuple[str, str]]:
    encoded = request.content.decode("latin-1") if body_is_form and has_form(request) else urlsplit(request.url).query
    pairs: list[tuple[str, str]] = []
    for part in encoded.split("&", MAX_NAMES)[:MAX_NAMES]:
        # Without "=" it is a value that was sent without its name
        pairs += parse_qsl(part, keep_blank_values=True) if "=" in part else [(HIDDEN, "")] if part else []
    return pairs


def _shown(name: str) -> str:
    return name if _NAME.fullmatch(name) else HIDDEN
