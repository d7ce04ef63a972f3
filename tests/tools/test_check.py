"""`./dev check`: the checks run side by side, and each prints under its own name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import check


def test_each_check_prints_under_its_name_in_order_and_those_that_fail_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "of $2"\necho "to $2" >&2\n[ "$2" != mypy ] && [ "$2" != towncrier ]\n', "utf-8")
    python.chmod(0o700)

    def made(*_: str) -> Path:
        return python

    monkeypatch.setattr(check, "environment", made)
    assert check.check([]) == 1
    shown = capsys.readouterr()
    modules = ["ruff", "ruff", "mypy", "pyright", "tests.support.coverage_of_each", "tools.docs", "towncrier"]
    assert shown.out.splitlines() == [line for name in modules for line in (f"of {name}", f"to {name}")]
    assert shown.err.splitlines()[-1] == "dev: failed: mypy, changelog"
