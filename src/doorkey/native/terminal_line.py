"""Read one line of standard input, as a flow, without a thread if the system can wait for input."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any, Final

from doorkey.native.console import is_terminal, write_stderr
from doorkey.native.effects import CallBlocking, WaitForSockets
from doorkey.native.errors import WrongPaste
from doorkey.native.pasted import MAX_TEXT, Line
from doorkey.wire.flow import Flow

_PIECE: Final = 4096
_NO_INPUT: Final = "Standard input ended before a URL was pasted."


def read_line(prompt: str) -> Flow[str]:
    """Show the prompt on standard error, and return the next line of standard input.

    Raises `WrongPaste` at the end of the input.
    """
    number = _number_of(sys.stdin)
    if number is None:
        write_stderr(prompt)
        text = yield from CallBlocking(_read_blocking)
        if not text:
            raise WrongPaste(_NO_INPUT)
        return text
    return (yield from _of_terminal(prompt, number) if os.isatty(number) else _of_pipe(prompt, number))


def _of_terminal(prompt: str, number: int) -> Flow[str]:
    """Read a line that is typed or pasted. Echo it only to a terminal: a file would keep the code in the URL."""
    line = Line()
    with without_line_editing(number):
        write_stderr(prompt)
        while not line.is_done:
            if number in (yield from WaitForSockets((number,))):
                echo = line.feed(_read(number, _PIECE))
                if is_terminal(sys.stderr):
                    write_stderr(echo.decode("ascii"))
    return _value(line)


def _of_pipe(prompt: str, number: int) -> Flow[str]:
    """Read a line byte by byte, so that the next line stays unread."""
    line = Line()
    write_stderr(prompt)
    while not line.is_done and not line.is_too_long:
        if _has_input(number) or number in (yield from WaitForSockets((number,))):
            line.feed(_read(number, 1))
    return _value(line)


def _value(line: Line) -> str:
    if line.is_end:
        raise WrongPaste(_NO_INPUT)
    return line.value()


def _read(number: int, size: int) -> bytes:
    """Return the available bytes; b"" at the end of the input, and for a terminal that was closed."""
    try:
        return os.read(number, size)
    except OSError:
        return b""


def _read_blocking() -> str:
    """Return the next line; "" at the end of the input, and for a stream that cannot be read."""
    try:
        return "" if sys.stdin is None else sys.stdin.readline(MAX_TEXT + 2)
    except (OSError, ValueError):  # ValueError: a closed stream, or bytes that are not text
        return ""


def _number_of(stream: Any) -> int | None:
    """Return the file descriptor of a stream if the system can wait for its input; otherwise None."""
    if os.name != "posix":
        return None
    try:
        number: int = stream.fileno()
        kind = os.fstat(number).st_mode
    except (AttributeError, OSError, ValueError):  # no stream, a stream in memory, or a closed stream
        return None
    return number if os.isatty(number) or stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind) else None


def _has_input(number: int) -> bool:
    """Return whether a read returns at once."""
    from select import POLLIN, poll

    waiting = poll()
    waiting.register(number, POLLIN)
    return bool(waiting.poll(0))


@contextmanager
def without_line_editing(number: int) -> Generator[None]:
    """Switch off line editing and echo, so that the terminal passes on each byte at once. Ctrl-C still interrupts."""
    import termios

    try:
        before, now = termios.tcgetattr(number), termios.tcgetattr(number)
        now[3] &= ~(termios.ICANON | termios.ECHO)
        now[6][termios.VMIN], now[6][termios.VTIME] = 1, 0
        termios.tcsetattr(number, termios.TCSADRAIN, now)
    except termios.error:  # it was closed
        yield
        return
    try:
        yield
    finally:
        with suppress(termios.error):
            termios.tcsetattr(number, termios.TCSADRAIN, before)
