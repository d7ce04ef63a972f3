"""Faults on demand: what a test makes a provider answer instead of what it would."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from doorkey.protocol.http import Pairs

HOLD_SECONDS = 30.0
"""A held request goes on after this long whatever happens, so that no suite hangs for ever."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong answer. Without a `status` the true answer is given, once `hold` is set if there is one.

    `arrived` is set when the request is there: a test waits for it to know that somebody is in flight.
    """

    status: int | None = None
    body: bytes = b""
    headers: Pairs = ()
    hold: threading.Event | None = None
    arrived: threading.Event = field(default_factory=threading.Event)


class Faults:
    """The faults that wait for their request. Safe to share between threads."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, Fault]] = []
        self._lock = threading.Lock()

    def add(
        self,
        path_end: str,
        *,
        status: int | None = None,
        body: bytes | str = b"",
        headers: Mapping[str, str] | Pairs = (),
        times: int = 1,
        hold: threading.Event | None = None,
    ) -> Fault:
        """Let the next `times` requests to a path that ends in `path_end` be answered so.

        `body` goes out as it is; `hold` keeps the answer back until the event is set. Returns the fault,
        whose `arrived` event tells when the first such request has come.
        """
        pairs = tuple(headers.items()) if isinstance(headers, Mapping) else headers
        fault = Fault(status, body.encode() if isinstance(body, str) else body, pairs, hold)
        with self._lock:
            self._waiting += [(path_end, fault)] * times
        return fault

    def take(self, path: str) -> Fault | None:
        """Return the fault for a request to `path`, which then is used up, or None."""
        with self._lock:
            for index, (path_end, fault) in enumerate(self._waiting):
                if path.endswith(path_end):
                    del self._waiting[index]
                    return fault
        return None

    def clear(self) -> None:
        """Forget the faults that are still waiting."""
        with self._lock:
            self._waiting.clear()
