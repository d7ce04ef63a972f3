"""Events as metrics and spans of OpenTelemetry. Imported only if the program has imported OpenTelemetry.

Attributes have the names of the semantic conventions if those define one (`server.address`, `error.type`).
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from opentelemetry import context, metrics, trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from doorkey.observe.events import TokenEvent

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_PORTS: Final = {"https": 443, "http": 80}

_tracer: Final = trace.get_tracer("doorkey")
_meter: Final = metrics.get_meter("doorkey")
_events: Final = _meter.create_counter(
    "oauth.client.token.events",
    unit="{event}",
    description="What happened to tokens: requested, renewed, waited, rejected, failed.",
)
_requests: Final = _meter.create_histogram(
    "oauth.client.token.request.duration",
    unit="s",
    description="How long token requests took.",
    explicit_bucket_boundaries_advisory=_SECONDS,
)
_waits: Final = _meter.create_histogram(
    "oauth.client.token.wait.duration",
    unit="s",
    description="How long callers waited for a token that another caller was requesting.",
    explicit_bucket_boundaries_advisory=_SECONDS,
)


class RequestSpan:
    """The span of one token request. It is the current span until `end`; its parent is the previous current span."""

    __slots__ = ("_before", "_span")

    def __init__(self, event: TokenEvent) -> None:
        self._span = _tracer.start_span(
            "oauth.token_request", kind=SpanKind.CLIENT, attributes=_attributes(event, with_server=True)
        )
        self._before = context.attach(trace.set_span_in_context(self._span))

    def end(self, event: TokenEvent) -> None:
        """End the span with the outcome in `event`."""
        if event.error is not None:
            self._span.set_attribute("error.type", event.error)
            self._span.set_status(Status(StatusCode.ERROR, event.error))
        self._span.end()
        if trace.get_current_span() is self._span:  # else an unfinished flow was closed in another context
            context.detach(self._before)


def record(event: TokenEvent) -> None:
    """Count `event`, and record its duration if it has one."""
    attributes = _attributes(event, with_server=False)
    _events.add(1, {**attributes, "oauth.event": event.kind})
    if event.duration is None:
        return
    if event.kind == "waited":
        _waits.record(event.duration, attributes)
    elif event.grant_type is not None:  # else the renewal failed before the request
        _requests.record(event.duration, attributes)


def _attributes(event: TokenEvent, *, with_server: bool) -> dict[str, str | int]:
    named = {
        "oauth.client_id": event.client_id,
        "oauth.authorization_server": event.server,
        "oauth.grant_type": event.grant_type,
        "error.type": event.error,
    }
    attributes: dict[str, str | int] = {name: value for name, value in named.items() if value is not None}
    if with_server:
        server = urlsplit(event.server)
        if server.hostname is not None:
            attributes["server.address"] = server.hostname
            port = server.port or _PORTS.get(server.scheme)
            if port is not None:
                attributes["server.port"] = port
    return attributes
