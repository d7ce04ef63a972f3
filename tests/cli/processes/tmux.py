"""A shell in a window of tmux: a program in it is on a terminal as users have one, and `shown` is what they see."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

SHELL = "/bin/sh"
PROMPT = re.compile(r"\[(\d+)\]> $")
_ESCAPE = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|[()][A-B0]|[=>])|\r")
PATIENCE = 60.0


class Tmux:
    """A shell in a window of its own server of tmux: a context that ends both.

    Its environment is that of this process with `env`, and the command `doorkey` of this checkout is in its path.
    """

    def __init__(self, env: Mapping[str, str], columns: int = 80, lines: int = 60) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="doorkey-"))  # the path of a socket is short
        script = self.folder / "bin" / "doorkey"
        script.parent.mkdir()
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m doorkey "$@"\n')
        script.chmod(0o700)
        own = {"HOME": str(self.folder), "LC_ALL": "C.UTF-8", "NO_PROXY": "*", "TMUX": "", "ENV": ""}
        path = f"{script.parent}{os.pathsep}{os.environ['PATH']}"
        self._env = {**os.environ, **own, "PATH": path, **env}
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        self._pipe = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        self._output = ""
        self._tmux("new-session", "-d", "-x", str(columns), "-y", str(lines), SHELL)
        self._tmux("set-option", "-g", "history-limit", "2000")
        self._tmux("pipe-pane", f"exec cat >'{pipe}'")
        os.set_blocking(self._pipe, True)
        self.run("PS1='[$?]> '")

    def run(self, command: str, status: int = 0) -> str:
        """Run a command to its end, which has this exit status, and return what the window shows of it."""
        self.begin(command)
        assert self.ended() == status, self.shown()
        return self.shown()

    def begin(self, command: str) -> None:
        """Type a command in an empty window."""
        self._tmux("send-keys", "-R")
        self._tmux("clear-history")
        self._output = ""
        self._tmux("send-keys", "-l", "--", command)
        self._tmux("send-keys", "Enter")

    def until(self, text: str) -> str:
        """Wait until the command has printed `text`, and return what the window shows."""
        end = time.monotonic() + PATIENCE
        while text not in self._output:
            self._read(end)
        return self.shown()

    def paste(self, text: str) -> None:
        """Paste `text`, as from a clipboard, and press Enter."""
        self._tmux("set-buffer", "--", text)
        self._tmux("paste-buffer", "-d")
        self._tmux("send-keys", "Enter")

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self._tmux("send-keys", "C-c")

    def end_input(self) -> None:
        """Press Ctrl-D."""
        self._tmux("send-keys", "C-d")

    def ended(self) -> int:
        """Wait until the shell shows its prompt, and return the exit status of the command."""
        end = time.monotonic() + PATIENCE
        while (found := PROMPT.search(self._output)) is None:
            self._read(end)
        return int(found[1])

    def shown(self, *, colored: bool = False) -> str:
        """Return what the window shows, with what has scrolled out of it; a line that it wrapped is one line again."""
        escapes = ["-e"] if colored else []
        return self._tmux("capture-pane", "-p", "-J", "-S", "-", *escapes).rstrip()

    def _read(self, end: float) -> None:
        ready, _, _ = select.select([self._pipe], [], [], max(end - time.monotonic(), 0))
        assert ready, f"it took more than {PATIENCE:.0f} s:\n{self.shown()}"
        read = os.read(self._pipe, 65536)
        assert read, f"the window was closed:\n{self._output}"
        self._output += _ESCAPE.sub("", read.decode("utf-8", "replace"))

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-S", str(self.folder / "socket"), "-f", os.devnull, *arguments]
        done = subprocess.run(command, env=self._env, capture_output=True, text=True, check=True)
        return done.stdout

    def __enter__(self) -> Tmux:
        return self

    def __exit__(self, *_: object) -> None:
        self._tmux("kill-server")
        os.close(self._pipe)
        shutil.rmtree(self.folder)
