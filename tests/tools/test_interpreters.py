"""The Pythons of this machine: which one is used for a version, and which newer ones are found."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.interpreters import ASKED, OWN, TESTED, interpreter, newer

FINAL = "final cpython"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with no Python but the one that runs the tests."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{tmp_path / 'nowhere'}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PYENV_ROOT", raising=False)
    return tmp_path


def python(place: Path, answer: str, status: int = 0) -> Path:
    """Make an interpreter that gives this answer to the question what it is."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"#!/bin/sh\necho '{answer}'\nexit {status}\n", "utf-8")
    place.chmod(0o755)
    return place


def test_a_newer_python_is_found_on_the_path_in_pyenv_and_in_uv(home: Path) -> None:
    assert newer() == []
    places = {
        "3.100": home / "bin/python3.100",
        "3.14": home / ".pyenv/versions/3.14.2/bin/python3.14",
        "3.15": home / ".local/share/uv/python/cpython-3.15.0-linux-x86_64-gnu/bin/python3.15",
    }
    for version, place in places.items():
        python(place, f"{version} {FINAL}")
    assert newer() == ["3.14", "3.15", "3.100"]
    assert {version: interpreter(version) for version in places} == places


def test_a_tested_python_is_no_newer_one(home: Path) -> None:
    for version in TESTED:
        python(home / "bin" / f"python{version}", f"{version} {FINAL}")
    assert newer() == []


@pytest.mark.parametrize(
    "answer", ["3.14 beta cpython", "3.14 final free-threaded", "3.14 final pypy", "3.13 final cpython", ""]
)
def test_a_prerelease_a_free_threaded_build_and_another_implementation_are_not_used(home: Path, answer: str) -> None:
    python(home / ".pyenv/versions/3.14.0/bin/python3.14", answer)
    assert (interpreter("3.14"), newer()) == (None, [])
    good = python(home / ".pyenv/versions/3.14.1t/bin/python3.14", f"3.14 {FINAL}")
    assert (interpreter("3.14"), newer()) == (good, ["3.14"])


def test_an_interpreter_that_fails_or_cannot_be_run_is_not_used(home: Path) -> None:
    python(home / "bin/python3.14", f"3.14 {FINAL}", status=1)
    python(home / ".pyenv/versions/3.14.0/bin/python3.14", f"3.14 {FINAL}").chmod(0o644)
    python(home / ".pyenv/versions/3.14.1/bin/python3.14-config", f"3.14 {FINAL}")
    python(home / ".pyenv/versions/3.14.1/bin/python3.14t", f"3.14 {FINAL}")
    assert newer() == []


def test_the_newest_release_of_a_version_is_used(home: Path) -> None:
    for release in ("3.14.9", "3.14.10", "3.14.2"):
        python(home / f".pyenv/versions/{release}/bin/python3.14", f"3.14 {FINAL}")
    assert interpreter("3.14") == home / ".pyenv/versions/3.14.10/bin/python3.14"


def test_the_own_python_answers_for_itself(home: Path) -> None:
    assert interpreter(OWN) == Path(sys.executable)
    answer = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == [OWN, "final", "cpython"]
