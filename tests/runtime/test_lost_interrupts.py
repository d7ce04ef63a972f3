"""A Ctrl-C that Python would ignore."""

from __future__ import annotations

import signal
import sys
import threading
import weakref
from collections.abc import Callable

import pytest

from doorkey.runtime.lost_interrupts import repeat_lost_interrupts
from tests.support.interrupts import no_garbage_collection


class Freed:
    """An object whose end is noticed."""


def fail_in_a_finalizer(finalizer: Callable[[object], None]) -> None:
    freed = Freed()
    reference = weakref.ref(freed, finalizer)
    del freed
    assert reference() is None


def test_a_ctrl_c_in_a_finalizer_ends_the_command() -> None:
    seen: list[str] = []

    def strike(_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    def command() -> None:
        with repeat_lost_interrupts():
            fail_in_a_finalizer(strike)
            seen.append("Python has ignored it")
            threading.Event().wait(60)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with no_garbage_collection(), pytest.raises(KeyboardInterrupt):
            command()
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == ["Python has ignored it"]


def test_other_errors_that_python_ignores_are_reported_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[object] = []

    def report(lost: sys.UnraisableHookArgs, /) -> None:
        reported.append(lost.exc_type)

    def fail(_: object) -> None:
        raise ValueError("odd")

    monkeypatch.setattr(sys, "unraisablehook", report)
    with repeat_lost_interrupts():
        fail_in_a_finalizer(fail)
    assert reported == [ValueError]
    assert sys.unraisablehook is report
