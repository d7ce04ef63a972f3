"""The events of a trace: exchanges with the server, and the steps between them. No event holds a secret."""

from __future__ import annotations

from dataclasses import dataclass

Rows = tuple[tuple[str, str], ...]
"""Names and values, as they are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One HTTP message, as it is shown: its `first` line, its headers, and its body as rows or as lines."""

    first: str
    headers: Rows = ()
    body: Rows = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One step of a trace.

    title, section: what happens, and where it is specified.
    request, response: the exchange with the server, if there is one.
    milliseconds: how long it took.
    rows: names and values that the step is about, in place of an exchange.
    note: a sentence about it.
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
