"""The Pythons of this machine: on the PATH, and those of pyenv and uv.

Prereleases and free-threaded builds are not used, because the pinned libraries have no wheels for them.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

TESTED = ("3.11", "3.12", "3.13")
OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
ASKED = """
import sys, sysconfig, ensurepip, ssl, sqlite3
free_threaded = sysconfig.get_config_var("Py_GIL_DISABLED")
kind = "free-threaded" if free_threaded else sys.implementation.name
print("%d.%d" % sys.version_info[:2], sys.version_info.releaselevel, kind)
"""
"""A program that prints the version and kind of an interpreter. It fails if a module that environments need is missing.
"""

_NAME = re.compile(r"python3\.(\d+)")


def interpreter(version: str) -> Path | None:
    """Return a real interpreter of this version (`3.12`), or None if this machine has none."""
    places = [Path(sys.executable)] if version == OWN else []
    places += [folder / f"python{version}" for folder in _folders()]
    return next((place for place in places if place.is_file() and _is(place, version)), None)


def newer() -> list[str]:
    """Return the versions on this machine that are newer than all of `TESTED`, oldest first."""
    names = {file.name for folder in _folders() for file in folder.glob("python3.*")}
    minors = {int(match[1]) for name in names if (match := _NAME.fullmatch(name))}
    latest = int(TESTED[-1].partition(".")[2])
    return [version for minor in sorted(minors) if minor > latest and interpreter(version := f"3.{minor}")]


def _folders() -> Iterator[Path]:
    """Yield the folders that may contain interpreters: first the PATH, then those of pyenv and uv, newest first."""
    yield from (Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep))
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    yield from sorted(pyenv.glob("*/bin"), key=_release, reverse=True)
    yield from sorted(Path.home().glob(".local/share/uv/python/cpython-*/bin"), key=_release, reverse=True)


def _release(folder: Path) -> list[int]:
    """Return the numbers in the name of an interpreter's folder: 3.12.10 is newer than 3.12.9."""
    return [int(number) for number in re.findall(r"\d+", folder.parent.name)]


def _is(place: Path, version: str) -> bool:
    """Return whether the interpreter is a final release of CPython in this version, and not free-threaded."""
    try:
        answer = subprocess.run([place, "-c", ASKED], capture_output=True, text=True, check=False)
    except OSError:  # it is for another machine, or not executable
        return False
    return answer.returncode == 0 and answer.stdout.split() == [version, "final", "cpython"]
