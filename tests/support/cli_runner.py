"""How tests run the command: in this process, in a process of its own, and on a terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from doorkey.cli.main import cli

COMMAND = (sys.executable, "-m", "doorkey")
SEPARATE: dict[str, Any] = {"mix_stderr": False} if "mix_stderr" in signature(CliRunner).parameters else {}
"""Keeps stderr apart from stdout. From click 8.2 on, there is no such option, and both are apart."""


class Run:
    """Runs a command in this process. A string for `input` is stdin; neither stream is a terminal."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __call__(self, *arguments: str, input: str | None = None, **env: str) -> Result:  # noqa: A002  # click's name
        return CliRunner(**SEPARATE).invoke(cli, list(arguments), input=input, env=env)


def started(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    """Start a command in a process of its own, with its streams as text."""
    given: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*COMMAND, *arguments], text=True, **(given | options))


def finished(*arguments: str, timeout: float = 60, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own until it ends."""
    with started(*arguments, **options) as process:
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        finally:
            process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


class Terminal:
    """A command on a terminal of its own, of `columns` by 24: a context that ends the process.

    `until` reads what it prints, `type` types, and `interrupt` types Ctrl-C.
    """

    def __init__(self, *command: str, env: Mapping[str, str] | None = None, columns: int = 80) -> None:
        own, theirs = pty.openpty()
        size = {"COLUMNS": str(columns), "LINES": "24", "TERM": "xterm-256color"}
        try:
            self.process = subprocess.Popen(
                command,
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
                env={**os.environ, **size, **(env or {})},
                start_new_session=True,
                preexec_fn=_controlling_terminal,  # noqa: PLW1509  # the child does nothing else
            )
        finally:
            os.close(theirs)
        self._own = own
        self.text = ""

    def until(self, text: str, timeout: float = 60) -> str:
        """Read until `text` has been printed, and return everything so far; fails at the end of the output."""
        while text not in self.text:
            assert self._read(timeout), f"{text!r} was not printed, but:\n{self.text}"
        return self.text

    def rest(self, timeout: float = 60) -> str:
        """Read until the process has closed the terminal, and return everything."""
        while self._read(timeout):
            pass
        return self.text

    def type(self, text: str) -> None:
        """Type `text`."""
        os.write(self._own, text.encode())

    def interrupt(self) -> None:
        """Type Ctrl-C."""
        self.type("\x03")

    def status(self, timeout: float = 60) -> int:
        """Return the exit status, when the process has ended."""
        self.rest(timeout)
        return self.process.wait(timeout)

    def _read(self, timeout: float) -> bool:
        ready, _, _ = select.select([self._own], [], [], timeout)
        if not ready:
            return False
        try:
            read = os.read(self._own, 65536)
        except OSError:  # Linux reports the end so
            return False
        self.text += read.decode("utf-8", "replace")
        return bool(read)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._own)


def _controlling_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # a run of the tests under nohup ignores it, and children inherit that


def on_terminal(*arguments: str, env: Mapping[str, str] | None = None, columns: int = 80) -> Terminal:
    """Run a command of doorkey on a terminal."""
    return Terminal(*COMMAND, *arguments, env=env, columns=columns)
