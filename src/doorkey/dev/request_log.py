"""What a provider was asked, for tests to look at: names and statuses, never a value that is a secret."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from doorkey.arguments import text

KEPT = 10_000


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request that was answered: its `parameters` are the names in its form or query, in order.

    The `status` of one that was reset before anything was done is 0.
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
        self._lock = threading.Lock()

    def add(self, request: LoggedRequest) -> None:
        """Note one request."""
        with self._lock:
            self._requests.append(request)

    def clear(self) -> None:
        """Forget all requests so far."""
        with self._lock:
            self._requests.clear()

    def to(self, path_end: str) -> tuple[LoggedRequest, ...]:
        """Return the requests whose path ends in `path_end`. Raises `UsageError` for what is no text."""
        text(path_end, "the end of a path")
        return tuple(request for request in self if request.path.endswith(path_end))

    def __iter__(self) -> Iterator[LoggedRequest]:
        with self._lock:
            return iter(tuple(self._requests))

    def __len__(self) -> int:
        return len(self._requests)
