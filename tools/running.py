"""Running commands in the project's folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, TypeAlias

ROOT = Path(__file__).resolve().parents[1]
KEPT = {"PYTHONDONTWRITEBYTECODE": ""}
"""Every command may write bytecode, even if the environment forbids it. uv compiles nothing, and pytest rewrites a
thousand test files, so otherwise each process would compile all of its imports."""


def say(text: str) -> None:
    """Print a message for the contributor on standard error."""
    sys.stderr.write(f"dev: {text}\n")  # `print` writes the newline separately, so lines of threads could mix
    sys.stderr.flush()


def run(*command: str | Path, **environment: str) -> int:
    """Run a command, which gets the terminal or nothing on standard input, and return its exit code."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env={**os.environ, **KEPT, **environment},
        stdin=None if sys.stdin and sys.stdin.isatty() else subprocess.DEVNULL,
        check=False,
    )
    return done.returncode


def captured(*command: str | Path, **environment: str) -> tuple[int, str]:
    """Run a command with nothing on standard input, and return its exit code and its output."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env={**os.environ, **KEPT, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    return done.returncode, done.stdout


Command: TypeAlias = "list[str | Path]"


def side_by_side(runs: Sequence[tuple[str, Command]], **environment: str) -> int:
    """Run commands at the same time and return the highest exit code.

    The output of each is printed under its name, in the order of `runs`. That of the first running command is printed
    immediately.
    """
    codes: list[int] = []
    with ExitStack() as stack:
        started: list[tuple[str, subprocess.Popen[bytes], BinaryIO]] = []
        for name, command in runs:
            kept = stack.enter_context(tempfile.NamedTemporaryFile())
            process = subprocess.Popen(
                [str(part) for part in command],
                cwd=ROOT,
                env={**os.environ, **KEPT, **environment},
                stdin=subprocess.DEVNULL,
                stdout=kept,
                stderr=subprocess.STDOUT,
            )
            # Ctrl-C reaches the commands too, and each stops its servers. Wait until the last one has ended.
            stack.callback(process.wait)
            started.append((name, process, stack.enter_context(Path(kept.name).open("rb"))))
        for name, process, printed in started:
            say(name)
            codes.append(_shown(process, printed))
    return max(codes, default=0)


def _shown(process: subprocess.Popen[bytes], printed: BinaryIO) -> int:
    """Copy the output of a process to standard output until it ends, and return its exit code."""
    ended = False
    while not ended:
        try:
            process.wait(0.5)
            ended = True
        except subprocess.TimeoutExpired:
            pass
        shutil.copyfileobj(printed, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    return process.returncode


def must(*command: str | Path) -> None:
    """Run a command, and end with a message if it fails."""
    code = run(*command)
    if code:
        sys.exit(f"dev: failed with {code}: {' '.join(map(str, command))}")
