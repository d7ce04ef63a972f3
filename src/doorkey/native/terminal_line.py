"""One line of standard input, as a flow: read without a thread where the system can wait for input."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from typing import Any, Final

from doorkey.native.effects import CallBlocking, WaitForSockets
from doorkey.native.errors import WrongPaste
from doorkey.native.pasted import MAX_TEXT, Line
from doorkey.wire.flow import Flow

_PIECE: Final = 4096
_NO_INPUT: Final = "Standard input ended before a URL was pasted."


def read_line(prompt: str) -> Flow[str]:
    """Show the prompt on standard error, and return the next line of standard input. Raises `WrongPaste` at its end."""
    number = _number_of(sys.stdin)
    if number is None:
        _write(prompt)
        text = "" if sys.stdin is None else (yield from CallBlocking(lambda: sys.stdin.readline(MAX_TEXT + 2)))
        if not text:
            raise WrongPaste(_NO_INPUT)
        return text
    line, is_terminal = Line(), os.isatty(number)
    with _without_line_editing(number) if is_terminal else nullcontext():
        _write(prompt)
        while not line.is_done and (is_terminal or not line.is_too_long):
            if number not in (yield from WaitForSockets((number,))):
                continue
            piece = os.read(number, _PIECE if is_terminal else 1)  # the next line of a pipe stays there
            echo = line.feed(piece)
            if is_terminal and sys.stderr is not None and sys.stderr.isatty():  # a file would keep the code
                _write(echo.decode("ascii"))
    if line.is_end:
        raise WrongPaste(_NO_INPUT)
    return line.value()


def _number_of(stream: Any) -> int | None:
    """Return the number of a stream for whose input the system can wait; None: reading it blocks, or ends at once."""
    if os.name != "posix":
        return None
    try:
        number: int = stream.fileno()
        kind = os.fstat(number).st_mode
    except (AttributeError, OSError, ValueError):  # no stream, one of text in memory, or a closed one
        return None
    return number if os.isatty(number) or stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind) else None


@contextmanager
def _without_line_editing(number: int) -> Generator[None]:
    """Have a terminal pass on each byte at once, and show none itself. Ctrl-C still interrupts."""
    import termios

    before = termios.tcgetattr(number)
    now = termios.tcgetattr(number)
    now[3] &= ~(termios.ICANON | termios.ECHO)
    now[6][termios.VMIN], now[6][termios.VTIME] = 1, 0
    termios.tcsetattr(number, termios.TCSADRAIN, now)
    try:
        yield
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)


def _write(text: str) -> None:
    if sys.stderr is not None:  # a program without a console has none
        sys.stderr.write(text)
        sys.stderr.flush()
