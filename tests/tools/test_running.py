"""Commands that run at the same time."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools.running import Command, side_by_side

MEETS = """
import pathlib, sys, time
mine, other, code = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
print("begin", mine.name, flush=True)
mine.touch()
while not other.exists():
    time.sleep(0.01)
print("end", mine.name, file=sys.stderr)
sys.exit(code)
"""
"""A program that ends when the other one runs too."""


def test_commands_run_at_the_same_time_and_each_prints_under_its_name(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    runs: list[tuple[str, Command]] = [
        ("one", [sys.executable, "-c", MEETS, first, second, "1"]),
        ("two", [sys.executable, "-c", MEETS, second, first, "5"]),
    ]
    assert side_by_side(runs) == 5
    shown = capfd.readouterr()
    assert shown.out.splitlines() == ["begin first", "end first", "begin second", "end second"]
    assert shown.err.splitlines() == ["dev: one", "dev: two"]


def test_the_environment_reaches_every_command(capfd: pytest.CaptureFixture[str]) -> None:
    prints: Command = [sys.executable, "-c", "import os; print(os.environ['GIVEN'])"]
    assert side_by_side([("one", prints), ("two", prints)], GIVEN="value") == 0
    assert capfd.readouterr().out == "value\nvalue\n"
