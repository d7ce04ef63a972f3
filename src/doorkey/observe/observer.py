"""Who is told what happens to a token, for blocking and awaiting callers alike.

A source, a session and a vault have one `Observer` each. Nothing is told, and nothing looked up, while a token is
fresh. Whoever listens is called in the thread that has something to tell, while others may wait for what it does; what
a listener raises is logged and otherwise ignored.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from contextlib import nullcontext
from threading import get_ident
from typing import TYPE_CHECKING, Any, TypeAlias

from doorkey.errors import UsageError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import TracebackType

    from doorkey.observe.events import Kind, TokenEvent
    from doorkey.protocol.renewal import Slot
    from doorkey.tokens import OAuthToken

OnEvent: TypeAlias = "Callable[[TokenEvent], object]"


class Observer:
    """Tells what happens to the tokens of `client_id` at the authorization server that `server()` names.

    `timer` returns seconds and never goes backwards. Raises `UsageError` unless `on_event` is a plain callable.
    """

    __slots__ = ("_client_id", "_on_event", "_server", "_telling", "_timer")

    def __init__(
        self,
        client_id: str,
        server: Callable[[], str | None],
        on_event: OnEvent | None,
        timer: Callable[[], float],
    ) -> None:
        _check(on_event, timer)
        self._client_id, self._server = client_id, server
        self._on_event, self._timer = on_event, timer
        self._telling: set[int] = set()

    def asking(self, grant_type: str, server: str | None = None) -> Watch:
        """Tell of the token request made within: asked, then renewed or failed; a span shows it to OpenTelemetry."""
        return Watch(self, self._event("asked", server, grant_type), "renewed", "failed")

    def preparing(self) -> Watch:
        """Tell where what is done within, to be able to ask at all, has failed."""
        return Watch(self, self._event("failed"), None, "failed")

    def waiting(self) -> Watch:
        """Tell how long the wait within took.

        Raises `UsageError` in a callback of this observer: it would wait for the attempt that waits for the callback.
        """
        if get_ident() in self._telling:
            raise UsageError("on_event wants the token that is being renewed while it is told of that: it would hang")
        return Watch(self, self._event("waited"), "waited", "waited")

    def rejected(self) -> None:
        """Tell that an API refused the current token."""
        self.tell(self._event("rejected"))

    def tell(self, event: TokenEvent) -> None:
        """Tell everybody who listens; nothing that they raise gets out."""
        here = get_ident()
        nested = here in self._telling
        self._telling.add(here)
        try:
            from doorkey.observe.logs import log

            _guarded(log, event)
            if self._on_event is not None:
                _guarded(self._on_event, event)
            if opentelemetry_is_there():
                from doorkey.observe.telemetry import record

                _guarded(record, event)
        finally:
            if not nested:
                self._telling.discard(here)

    def _event(self, kind: Kind, server: str | None = None, grant_type: str | None = None) -> TokenEvent:
        from doorkey.errors import printable
        from doorkey.observe.events import MAX_LABEL, TokenEvent, place_of

        return TokenEvent(
            kind=kind,
            client_id=printable(self._client_id, MAX_LABEL),
            server=place_of(server or self._server()),
            grant_type=None if grant_type is None else printable(grant_type, MAX_LABEL),
        )


class Watch:
    """Times what is done in a `with` block, by a flow too, and tells what became of it."""

    __slots__ = ("_begun", "_event", "_observer", "_span", "_when_done", "_when_failed")

    def __init__(self, observer: Observer, event: TokenEvent, when_done: Kind | None, when_failed: Kind) -> None:
        self._observer, self._event = observer, event
        self._when_done, self._when_failed = when_done, when_failed

    def __enter__(self) -> None:
        self._span: Any = None
        if self._event.kind == "asked":
            if opentelemetry_is_there():
                from doorkey.observe.telemetry import RequestSpan

                self._span = _guarded(RequestSpan, self._event)
            self._observer.tell(self._event)
        self._begun = self._observer._timer()

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None, /) -> None:
        from dataclasses import replace

        from doorkey.observe.events import code_of

        kind = self._when_done if error is None else self._when_failed
        if kind is None:
            return
        took = max(self._observer._timer() - self._begun, 0.0)
        told = replace(self._event, kind=kind, duration=took, error=None if error is None else code_of(error))
        self._observer.tell(told)  # within the span, so that log records and exemplars name it
        if self._span is not None:
            _guarded(self._span.end, told)


def waiting(slot: Slot) -> AbstractContextManager[None]:
    """Return the block in which somebody waits for another's attempt at `slot`. Raises as `Observer.waiting` does."""
    return nullcontext() if slot.observer is None else slot.observer.waiting()


def reject(slot: Slot, token: OAuthToken) -> bool:
    """Reject `token` at `slot`; tell of it once, however many callers were refused with the same token."""
    known = slot.rejected == token.access_token
    was_current = slot.reject(token)
    if was_current and not known and slot.observer is not None:
        slot.observer.rejected()
    return was_current


def opentelemetry_is_there() -> bool:
    """Say whether this program has imported OpenTelemetry.

    To import it takes longer than an event loop has; who has not imported it has not set it up either.
    """
    loaded = sys.modules
    return loaded.get("opentelemetry.trace") is not None or loaded.get("opentelemetry.metrics") is not None


def _guarded(call: Callable[[TokenEvent], Any], event: TokenEvent) -> Any:
    try:
        return call(event)
    except Exception as error:  # noqa: BLE001  # somebody's own code: no renewal depends on it
        from doorkey.observe.logs import complain

        complain(event, error)
        return None


def _check(on_event: object, timer: object) -> None:
    if on_event is not None and (not callable(on_event) or _is_async(on_event)):
        raise UsageError("on_event is a plain function that takes an event; it may start a task, but not be one")
    if not callable(timer):
        raise UsageError("timer is a callable that returns seconds, such as time.monotonic")


def _is_async(call: object) -> bool:
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(getattr(call, "__call__", None))  # noqa: B004
