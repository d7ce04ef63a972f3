"""Running commands in the project's folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def say(text: str) -> None:
    """Tell the contributor, on standard error."""
    print(f"dev: {text}", file=sys.stderr, flush=True)


def run(*command: str | Path, **environment: str) -> int:
    """Run a command with nothing on standard input, and return its exit code."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=None if sys.stdin and sys.stdin.isatty() else subprocess.DEVNULL,
        check=False,
    )
    return done.returncode


def captured(*command: str | Path, **environment: str) -> tuple[int, str]:
    """Run a command with nothing on standard input, and return its exit code and all that it printed."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    return done.returncode, done.stdout


def must(*command: str | Path) -> None:
    """Run a command, and end with a message if it fails."""
    code = run(*command)
    if code:
        sys.exit(f"dev: failed with {code}: {' '.join(map(str, command))}")
