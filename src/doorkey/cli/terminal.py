"""The output of commands: results to stdout, messages and progress to stderr."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final, TextIO, cast

import click

from doorkey.native.console import write_stderr

if TYPE_CHECKING:
    from rich.console import Console

__all__: list[str] = []

DELAY: Final = 0.3
"""Seconds before progress is shown. Most waits end earlier."""
PERIOD: Final = 0.1
GOOD: Final = "green"
BAD: Final = "red"
WARNING: Final = "magenta"
"""The colors of the output. Yellow and cyan are not used, because they are hard to read on a light background."""
_FRAMES: Final = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_ASCII_FRAMES: Final = "|/-\\"
_CLEAR_LINE: Final = "\r\x1b[K"


def out(text: str) -> None:
    """Print a result to stdout, with a line break."""
    click.echo(text)


def note(text: str) -> None:
    """Print a message to stderr, with a line break. It is not wrapped here, so that the URLs in it stay whole.

    A message that cannot be written is lost, and the command continues.
    """
    write_stderr(f"{text}\n")


def out_console() -> Console:
    """Return a rich console on stdout, for tables. It has no color if NO_COLOR is set or stdout is not a terminal.

    If stdout is not a terminal, it is 120 columns wide, so that the output does not depend on the size of a window.
    """
    from rich.console import Console

    # rich assumes 80 columns for every dumb terminal
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 120
    file = sys.stdout if sys.stdout.isatty() else cast("TextIO", _Trimmed(sys.stdout))
    return Console(file=file, width=width, highlight=False, emoji=False, markup=False)


class _Trimmed:
    """A stream that removes the trailing spaces of lines, with which rich pads tables. It must get whole lines."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write("\n".join(line.rstrip(" ") for line in text.split("\n")))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def is_animated() -> bool:
    """Return whether stderr is a terminal that can redraw a line."""
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"


@contextmanager
def waiting(text: str) -> Generator[None]:
    """Show `text` with a spinner on stderr while the block runs, if it takes longer than `DELAY` seconds.

    It is shown only on a terminal. The line is cleared at the end of the block, also after Ctrl-C.
    """
    if not is_animated():
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=_animate, args=(text, stop, sys.stderr), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


class Waiting:
    """A progress line like that of `waiting`, above which the command can print."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line = ExitStack()

    def __enter__(self) -> Waiting:
        self._line.enter_context(waiting(self._text))
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()

    def print_above(self, prints: Callable[[], object]) -> None:
        """Clear the progress line, call `prints`, and show the line again below its output."""
        self._line.close()
        prints()
        self._line.enter_context(waiting(self._text))


def _animate(text: str, stop: threading.Event, stream: TextIO) -> None:
    if stop.wait(DELAY):
        return
    frames = _FRAMES if (stream.encoding or "").lower().replace("-", "") == "utf8" else _ASCII_FRAMES
    step = 0
    while True:
        # the line must not wrap: only one line of the terminal is cleared
        room = max(shutil.get_terminal_size().columns - 3, 1)
        shown = text[:room]
        stream.write(f"{_CLEAR_LINE}{frames[step % len(frames)]} {shown}")
        stream.flush()
        if stop.wait(PERIOD):
            break
        step += 1
    stream.write(_CLEAR_LINE)
    stream.flush()
