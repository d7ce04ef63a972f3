"""The benchmark runs and says what it measured; its timings are nobody's test."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from bench.row import Row
from bench.table import markdown
from bench.timing import compare

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    not (find_spec("authlib") and find_spec("requests_oauthlib")),
    reason="authlib and requests-oauthlib are installed by ./dev bench, into the environment of its Python only",
)


def test_the_table_counts_one_token_request_wherever_many_share_a_session() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "threads", "tasks", "loops", "--effort", "0.1"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(re.findall(r"token requests:", done.stdout)) == 4
    assert "Every target is met" in done.stdout


def test_the_page_says_what_is_not_met() -> None:
    page = markdown([Row("a", "2 ms", "peer 1 ms", "2.00", "≤ 1.00", met=False), Row("b", "1", "2", met=True)])
    assert "| a | 2 ms | peer 1 ms | 2.00 | ≤ 1.00 | NOT MET |" in page
    assert "| b | 1 | 2 |  |  | met |" in page
    assert "authlib 1." in page


def test_contenders_take_turns() -> None:
    turns: list[str] = []
    found = compare({"a": lambda _: turns.append("a"), "b": lambda _: turns.append("b")}, rounds=4, calls=1)
    assert "".join(turns) == "ab" + "abbaabba"
    assert all(timing.noise >= 0 for timing in found.values())
