"""`./dev check`: the checks run side by side, and what fails is shown last."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import check

FAKE = """#!/bin/sh
echo "of $2"
echo "to $2" >&2
case $2 in
    mypy | tests.*) exit 3 ;;
    pyright) [ -e "$0.ran" ] || { touch "$0.ran"; exit 134; } ;;
esac
"""
"""A Python in which mypy and the tests fail each time, and pyright only the first time."""


def test_the_checks_that_fail_are_shown_last_and_those_of_tools_once_more_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    python = tmp_path / "python"
    python.write_text(FAKE, "utf-8")
    python.chmod(0o700)

    def made(*_: str) -> Path:
        return python

    monkeypatch.setattr(check, "environment", made)
    assert check.check([]) == 1
    shown = capsys.readouterr()
    passed = ["ruff", "ruff", "tools.docs", "towncrier"]
    failed = [("mypy", "mypy", 3), ("pyright", "pyright", 134), (check.TESTS, "tests.support.coverage_of_each", 3)]
    expected = [line for name in passed for line in (f"of {name}", f"to {name}")]
    for name, module, code in failed:
        expected += [f"of {module}", f"to {module}", f"dev: {name} ended with {code}"]
    expected += [line for name in ("mypy", "pyright") for line in (f"of {name}", f"to {name}")]
    assert shown.out.splitlines() == expected
    said = shown.err.splitlines()
    assert [line for line in said if " ended with " in line] == ["dev: mypy ended with 3", "dev: pyright ended with 0"]
    assert said[-1] == f"dev: failed: mypy, {check.TESTS}"
