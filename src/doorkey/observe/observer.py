"""Reports the events of tokens to `on_event`, logging and OpenTelemetry, for blocking and asynchronous callers.

A source, a session and a vault have one `Observer` each. While a token is fresh, there is no event and no cost. A
listener is called in the thread of the event, while other callers may be waiting for the token. An exception of a
listener is logged and otherwise ignored.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from threading import get_ident
from typing import TYPE_CHECKING, Any, TypeAlias

from doorkey.arguments import awaits, function
from doorkey.errors import UsageError, printable
from doorkey.observe.events import MAX_LABEL, TokenEvent, code_of, place_of
from doorkey.observe.logs import complain, is_logged, log, report_dropped
from doorkey.runtime.deadlock import detached

if TYPE_CHECKING:
    from types import TracebackType

    from doorkey.observe.events import Kind

OnEvent: TypeAlias = "Callable[[TokenEvent], object]"


class Observer:
    """Reports the events of the tokens of one client at one authorization server.

    client_id: the client ID.
    server: returns the URL of the authorization server, or None if it is unknown.
    on_event: called with each `TokenEvent`, or None.
    timer: returns seconds that never go backwards.

    Raises `UsageError` if `on_event` is not callable or is a coroutine function, or if `timer` is not callable.
    """

    __slots__ = ("_client_id", "_named", "_on_event", "_reporting", "_server", "timer")

    def __init__(
        self,
        client_id: str,
        server: Callable[[], str | None],
        on_event: OnEvent | None,
        timer: Callable[[], float],
    ) -> None:
        _check(on_event, timer)
        self._client_id, self._server = client_id, server
        self._on_event, self.timer = on_event, timer
        self._named: tuple[str | None, str, str] | None = None
        self._reporting: set[int] = set()

    def requesting(self, grant_type: str, server: str | None = None) -> Watch:
        """Report the token request in the block: `requested`, then `renewed` or `failed`, and a span."""
        return Watch(self, "requested", "renewed", "failed", grant_type, server)

    def preparing(self) -> Watch:
        """Report `failed` if the preparation of a token request in the block fails."""
        return Watch(self, None, None, "failed")

    def waiting(self) -> Watch:
        """Report the duration of the wait in the block.

        Raises `UsageError` in a callback of this observer, because the attempt waits for the callback.
        """
        if get_ident() in self._reporting:
            raise UsageError("on_event requests the token whose renewal it is called for: it would wait for itself")
        return Watch(self, None, "waited", "waited")

    def rejected(self) -> None:
        """Report that an API rejected the current token."""
        self.report(self.event("rejected"))

    def dropped(self, names: Sequence[str]) -> None:
        """Log the names of the members of a token response that were dropped."""
        event = self.event("renewed")
        self.call(lambda renewed: report_dropped(names, renewed), event)

    def event(self, kind: Kind, grant_type: str | None = None, server: str | None = None, **more: Any) -> TokenEvent:
        """Return an event; `server` replaces the URL of the observer's server."""
        url, named = server or self._server(), self._named
        if named is None or named[0] != url:
            named = self._named = url, printable(self._client_id, MAX_LABEL), place_of(url)
        if grant_type is not None:
            grant_type = printable(grant_type, MAX_LABEL)
        return TokenEvent(kind=kind, client_id=named[1], server=named[2], grant_type=grant_type, **more)

    def has_listener(self, kind: Kind) -> bool:
        """Return whether an event of this `kind` has a listener. In most programs, events of a success have none."""
        return self._on_event is not None or opentelemetry_is_imported() or is_logged(kind)

    def moment(self) -> float | None:
        """Return the timer's time, or None if the timer fails."""
        try:
            return float(self.timer())
        except Exception as error:  # noqa: BLE001  # a renewal must not fail because of the program's timer
            complain("timer", error)
            return None

    def report(self, event: TokenEvent) -> None:
        """Report `event` to all listeners. Their exceptions are logged, not raised."""
        self.call(self._report, event)

    def call(self, call: Callable[[TokenEvent], Any], event: TokenEvent) -> Any:
        """Call a listener with `event` and return its result; None if it raises."""
        here = get_ident()
        nested = here in self._reporting
        self._reporting.add(here)
        try:
            with detached():  # a task that the listener starts may request the token, because no caller waits for it
                return _guarded(call, event)
        finally:
            if not nested:
                self._reporting.discard(here)

    def _report(self, event: TokenEvent) -> None:
        _guarded(log, event)
        if self._on_event is not None:
            _guarded(self._on_event, event)
        if opentelemetry_is_imported():
            from doorkey.observe.telemetry import record

            _guarded(record, event)


class Watch:
    """Times a `with` block, which may be part of a flow, and reports its outcome, unless the flow is closed early."""

    __slots__ = ("_begun", "_grant_type", "_kinds", "_observer", "_server", "_span")

    def __init__(
        self,
        observer: Observer,
        first: Kind | None,
        when_done: Kind | None,
        when_failed: Kind,
        grant_type: str | None = None,
        server: str | None = None,
    ) -> None:
        self._observer = observer
        self._kinds: tuple[Kind | None, Kind | None, Kind] = (first, when_done, when_failed)
        self._grant_type, self._server = grant_type, server

    def __enter__(self) -> None:
        self._span: Any = None
        if (first := self._kinds[0]) is not None and self._observer.has_listener(first):
            event = self._observer.event(first, self._grant_type, self._server)
            if opentelemetry_is_imported():
                from doorkey.observe.telemetry import RequestSpan

                self._span = self._observer.call(RequestSpan, event)
            self._observer.report(event)
        self._begun = self._observer.moment()

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None, /) -> None:
        if isinstance(error, GeneratorExit):
            # The flow was closed early, perhaps by the garbage collector while this thread holds a lock of a listener.
            # Then a counter of OpenTelemetry would wait for its own lock.
            return
        kind = self._kinds[1 if error is None else 2]
        if kind is None or (self._span is None and not self._observer.has_listener(kind)):
            return
        ended, code = self._observer.moment(), None
        took = None if ended is None or self._begun is None else max(ended - self._begun, 0.0)
        if error is not None:
            code = code_of(error)
        event = self._observer.event(kind, self._grant_type, self._server, duration=took, error=code)
        self._observer.report(event)  # within the span, so that log records and exemplars refer to it
        if self._span is not None:
            self._observer.call(self._span.end, event)


def opentelemetry_is_imported() -> bool:
    """Return whether this program has imported OpenTelemetry.

    It is not imported here, because that would block an event loop for too long. A program that has not imported it has
    not configured it either.
    """
    loaded = sys.modules
    return loaded.get("opentelemetry.trace") is not None or loaded.get("opentelemetry.metrics") is not None


def _guarded(call: Callable[[TokenEvent], Any], event: TokenEvent) -> Any:
    try:
        return call(event)
    except Exception as error:  # noqa: BLE001  # a renewal must not fail because of the program's listener
        complain("on_event", error, event)
        return None


def _check(on_event: object, timer: object) -> None:
    if on_event is not None and (not callable(on_event) or awaits(on_event)):
        raise UsageError("on_event must be a plain function, not a coroutine function: it may start a task")
    function(timer, "timer must be a callable that returns seconds, such as time.monotonic")
