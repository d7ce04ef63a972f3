"""The events of a trace: exchanges with the server, and the steps between them. No event contains a secret."""

from __future__ import annotations

from dataclasses import dataclass

Rows = tuple[tuple[str, str], ...]
"""Names and values in the form in which they are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One HTTP message in the form in which it is shown.

    first: the first line: method and URL, or the status.
    headers: the headers.
    body: the parameters of a form or the members of a JSON object.
    lines: the body as lines, if it is not shown as `body`.
    """

    first: str
    headers: Rows = ()
    body: Rows = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One step of a trace.

    title: the name of the step.
    section: the section of the specification.
    request, response: the exchange with the server, if there is one.
    milliseconds: the duration of the exchange.
    rows: the parameters or claims of a step that is not an exchange.
    note: a sentence about the step.
    failed: whether the step failed.
    """

    title: str
    section: str = ""
    request: Message | None = None
    response: Message | None = None
    milliseconds: float | None = None
    rows: Rows = ()
    note: str = ""
    failed: bool = False
