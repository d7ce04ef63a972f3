"""A child of fork() has the locks of its parent, and none of the threads that would release them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


def run(what: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-m", "tests.renewal.forking", what],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("what", ["leader lock", "cache", "sender", "authorizations", "memory store"])
def test_a_lock_that_another_thread_held_is_free_in_the_child(what: str) -> None:
    run(what)


def test_a_connection_that_does_not_close_keeps_no_lock_after_a_fork() -> None:
    run("a connection that does not close")


def test_an_owner_that_fails_before_a_fork_does_not_affect_the_others() -> None:
    assert run("others") == "[(1, 1), (0, 0), (1, 1)]\n" * 2


def test_each_owner_is_told_in_the_child_also_after_one_that_raises() -> None:
    assert run("equal owners") == "[1, 0, 1]\n[0, 0, 0]\n"
