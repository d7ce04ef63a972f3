"""Faults by which a test makes a provider misbehave.

    provider.faults.add("/token", status=503, headers={"Retry-After": "7"})
    provider.faults.add("/token", status=200, body="<garbage>")
    provider.faults.add("/token", grant_type="refresh_token", hold=event)    # late
    provider.faults.add("/certs", drip=0.05)                                 # byte by byte
    provider.faults.add("/token", grant_type="refresh_token", reset="after")  # the response is lost

Each fault applies to the next matching request, or to the next `times` of them.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from doorkey.arguments import count, encodable, instance, members, seconds, text
from doorkey.errors import UsageError, printable
from doorkey.runtime.forks import ForkSafeLock
from doorkey.server.option_names import suggests_names
from doorkey.values import ShownDefaults
from doorkey.wire.messages import Pairs

HOLD_SECONDS = 30.0
"""A held request continues after this many seconds at the latest, so that no test suite hangs."""

MAX_TIMES = 10_000

Reset: TypeAlias = Literal["before", "after"]

_HEADERS = "headers of a fault are texts by name, of characters that a header can contain"
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.1, §5.5
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    status: the status of the response; None: the real response is sent.
    body: the body of the response, sent unchanged.
    headers: the headers of the response, as pairs.
    hold: the request is processed only after this event is set, or after `HOLD_SECONDS`; None: at once.
    drip: seconds between two bytes of the body, or None.
    reset: resets the connection "before" or "after" the request is processed; None: no reset.
    arrived: an event that is set when the request has arrived, so that a test can wait for this.
    """

    __signature__ = ShownDefaults()

    status: int | None = None
    body: bytes = b""
    headers: Pairs = ()
    hold: threading.Event | None = None
    drip: float | None = None
    reset: Reset | None = None
    arrived: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A fault, and the condition for the request that triggers it."""

    path_end: str
    grant_type: str | None
    fault: Fault

    def __str__(self) -> str:
        fault = self.fault
        kinds = {
            "status": fault.status,
            "hold": fault.hold and "an event",
            "drip": fault.drip,
            "reset": fault.reset,
            "grant_type": self.grant_type,
        }
        given = [f"{name}={value!r}" for name, value in kinds.items() if value is not None]
        return f"the fault for a path ending in {printable(self.path_end, 80)!r} ({', '.join(given)})"

    def fits(self, path: str, grant_type: str | None) -> bool:
        return path.endswith(self.path_end) and self.grant_type in (None, grant_type)


class UnusedFault(UsageError, AssertionError):
    """A fault that a test added was never triggered, so the test did not cover this fault."""


class Faults:
    """The faults that wait for a request. Thread-safe."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._lock = ForkSafeLock()

    @suggests_names("a fault")
    def add(
        self,
        path_end: str,
        *,
        grant_type: str | None = None,
        status: int | None = None,
        body: bytes | str = b"",
        headers: Mapping[str, str] | Pairs = (),
        times: int = 1,
        hold: threading.Event | None = None,
        drip: float | None = None,
        reset: Reset | None = None,
    ) -> Fault:
        """Apply a fault to the next matching requests, and return it. Its event `arrived` is set by the first request.

        path_end: the end of the path of these requests, for instance `/token`.
        grant_type: only token requests with this grant type; None: any request.
        status: the status of the response; None: the real response is sent.
        body: the body of the response, sent unchanged; only with `status`.
        headers: the headers of the response, by name or as pairs; only with `status`.
        times: number of requests, at most 10,000.
        hold: the request is processed only after this event is set, or after 30 seconds.
        drip: seconds between two bytes of the body.
        reset: resets the connection instead of sending a response: "before" the provider processes the request, or
            "after" that, so that only the response is lost.

        Raises `UsageError` for invalid arguments, and for `body` or `headers` without `status`.
        """
        text(path_end, "the end of a path")
        if grant_type is not None:
            text(grant_type, "grant_type")
        count(times, "times", most=MAX_TIMES)
        fault = Fault(_status(status), _content(body), _pairs(headers), hold, drip, reset)
        if status is None and (fault.body or fault.headers):
            raise UsageError("body and headers replace the real response, and need status= for this")
        if hold is not None:
            instance(hold, threading.Event, "hold must be a threading.Event, which the test sets")
        if drip is not None:
            seconds(drip, "drip")
        if reset not in (None, "before", "after"):
            raise UsageError("reset must be 'before' or 'after'")
        with self._lock:
            self._waiting += [_Waiting(path_end, grant_type, fault)] * times
        return fault

    def take(self, path: str, grant_type: str | None = None) -> Fault | None:
        """Remove and return the fault for a request, or return None.

        path: the path of the request.
        grant_type: the grant type of a token request, or None.

        Raises `UsageError` if `path` is not text.
        """
        text(path, "a path")
        with self._lock:
            for index, waiting in enumerate(self._waiting):
                if waiting.fits(path, grant_type):
                    del self._waiting[index]
                    return waiting.fault
        return None

    @property
    def unused(self) -> tuple[str, ...]:
        """Descriptions of the faults that still wait for a request."""
        with self._lock:
            waiting = list(self._waiting)
        times = Counter(id(one) for one in waiting)
        return tuple(f"{one}, which waits for {times[id(one)]} more" for one in dict.fromkeys(waiting))

    def check_all_used(self) -> None:
        """Raise `UnusedFault` if there are faults that no request has triggered."""
        if unused := self.unused:
            raise UnusedFault(f"no request triggered {'; '.join(unused)}")

    def clear(self) -> None:
        """Remove the faults that still wait for a request."""
        with self._lock:
            self._waiting.clear()


def _status(value: object) -> int | None:
    if value is None:
        return None
    return count(value, "status", least=200, most=599)


def _content(value: object) -> bytes:
    if isinstance(value, str):
        if not encodable(value):
            raise UsageError("body has a lone surrogate, which cannot be encoded: give bytes")
        return value.encode()
    return instance(value, bytes, "body must be bytes, or text that is sent as UTF-8")


def _pairs(headers: Mapping[str, str] | Pairs) -> Pairs:
    given = tuple(headers.items()) if isinstance(headers, Mapping) else headers
    pairs: list[tuple[str, str]] = []
    for pair in members(given, _HEADERS):
        match pair:
            case (str(name), str(value)) if _NAME.fullmatch(name) and _VALUE.fullmatch(value):
                pairs.append((name, value))
            case _:
                raise UsageError(_HEADERS)
    return tuple(pairs)
