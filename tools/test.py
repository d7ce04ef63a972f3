"""`./dev test`: the tests, in environments and with servers that are set up first."""

from __future__ import annotations

import os
from pathlib import Path

from tools.environments import OWN, SUITE, TESTED, environment, interpreter
from tools.running import run, say


def servers(arguments: list[str]) -> int:
    """Install the real servers, all or those that are named."""
    return _install(environment(OWN, *SUITE), arguments)


def _install(python: Path, names: list[str]) -> int:
    return run(python, "-m", "tests.servers", "install", *names)


def test(arguments: list[str]) -> int:
    """Run the suite on every tested Python of this machine; the real servers are installed once, before it."""
    found = {version: interpreter(version) for version in TESTED}
    present = [version for version, python in found.items() if python]
    missing = [version for version, python in found.items() if not python]
    if not present:  # a newer Python than those named is better than nothing
        present = [OWN]
    pythons = [environment(version, *SUITE) for version in present]
    # A server that is missing says so; its tests are skipped, or fail when DOORKEY_REQUIRE_SERVERS is 1.
    _install(pythons[0], [])
    arguments = arguments or ["-n", str(min(os.cpu_count() or 1, 4))]  # more would start more servers than help
    worst = 0
    for version, python in zip(present, pythons, strict=True):
        say(f"pytest on Python {version}")
        worst = max(worst, run(python, "-m", "pytest", *arguments))
    if missing:
        say(
            f"not tested, because this machine lacks it: Python {', '.join(missing)} (pyenv or your system may have it)"
        )
    return worst
