"""`.ci/run`: it fails if any part fails, and the end of its output shows why, because a log may be cut."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tools.running import ROOT

FAKE = """#!/bin/sh
echo "$1 printed this"
echo "$1 failed with this" >&2
[ "$1" != FAILING ]
"""


@pytest.mark.parametrize("failing", ["check", "dist", "test", "nothing"])
def test_the_output_of_a_failed_part_is_repeated_at_the_end(tmp_path: Path, failing: str) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    (tmp_path / "dev").write_text(FAKE.replace("FAILING", failing), "utf-8")
    (tmp_path / "dev").chmod(0o700)
    done = subprocess.run(
        [tmp_path / ".ci" / "run"], capture_output=True, text=True, encoding="utf-8", check=False, timeout=60
    )
    assert (done.returncode == 0) == (failing == "nothing")
    for part in ("check", "dist", "test"):
        assert f"{part} printed this" in done.stdout
    end = done.stderr.partition("ci: ")[2]
    repeated = {part for part in ("check", "dist") if f"{part} failed with this" in end}
    assert repeated == {failing} & {"check", "dist"}
    assert ("the tests failed" in end) == (failing == "test")
