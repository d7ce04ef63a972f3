"""Events as records of the logger `doorkey`: DEBUG for success, WARNING for failures and rejections."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from doorkey.observe.events import Kind, TokenEvent

logger: Final = logging.getLogger("doorkey")
logger.addHandler(logging.NullHandler())  # a program that has not configured logging gets no output from us

MAX_NAMES: Final = 10
"""The maximum number of member names in one record."""

_LEVELS: Final[Mapping[Kind, int]] = {
    "requested": logging.DEBUG,
    "renewed": logging.DEBUG,
    "waited": logging.DEBUG,
    "rejected": logging.WARNING,
    "failed": logging.WARNING,
}


def is_logged(kind: Kind) -> bool:
    """Return whether the program's logging writes a record of an event of this `kind`."""
    return logger.isEnabledFor(_LEVELS[kind])


def log(event: TokenEvent) -> None:
    """Write a log record. Its attributes `doorkey_kind`, `doorkey_client_id`, … have the values of the event."""
    if not is_logged(event.kind):
        return
    text = f"token {event.kind}: {event.source}"
    if event.grant_type is not None:
        text += f", {event.grant_type}"
    if event.duration is not None:
        text += f", {event.duration:.3f} s"
    if event.error is not None:
        text += f", {event.error}"
    logger.log(_LEVELS[event.kind], "%s", text, extra=_fields(event))


def complain(what: str, error: Exception, event: TokenEvent | None = None) -> None:
    """Log that the program's own callable, named `what`, raised `error`. `event` is its argument, if it had one."""
    fields = {} if event is None else _fields(event)
    with suppress(Exception):  # a filter or handler of the program's own may have failed
        logger.error("%s failed with %s", what, type(error).__name__, exc_info=error, extra=fields)


def report_dropped(names: Sequence[str], event: TokenEvent) -> None:
    """Log the names of the members of a token response that were dropped, because no store could hold them."""
    shown = ", ".join(names[:MAX_NAMES]) + (f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else "")
    with suppress(Exception):  # the token is kept even if a filter or handler of the program fails
        logger.warning(
            "token response of %s: members that no store could hold are not kept: %s",
            event.source,
            shown,
            extra={**_fields(event), "doorkey_dropped": tuple(names[:MAX_NAMES])},
        )


def _fields(event: TokenEvent) -> dict[str, object]:
    return {
        "doorkey_kind": event.kind,
        "doorkey_source": event.source,
        "doorkey_client_id": event.client_id,
        "doorkey_server": event.server,
        "doorkey_grant_type": event.grant_type,
        "doorkey_duration": event.duration,
        "doorkey_error": event.error,
    }
