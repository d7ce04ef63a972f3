"""`./dev test`: the tests, in environments and with servers that are set up first."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from tools.environments import BROWSER, SUITE, environment
from tools.interpreters import OWN, TESTED, interpreter
from tools.running import ROOT, run, say

ALL_PYTHONS = "--all-pythons"

OF_NO_PYTHON = (
    *("tests/tools", "tests/bench", "tests/browser", "tests/examples", "tests/demo"),
    "tests/cli/doctor/test_real_servers.py",
    "tests/cli/processes",
    *("tests/test_layers.py", "tests/test_source_rules.py", "tests/test_project.py", "tests/login/django/test_page.py"),
    "tests/login/django/test_contract_on_servers.py",
    "tests/sessions/grants/test_device_on_servers.py",
)
"""Tests that run on one Python only: of the text, tools, examples and demo of the repository, of pages in a browser,
and of the command line in processes and on terminals of its own."""


def servers(arguments: list[str]) -> int:
    """Install the real servers, all or those that are named."""
    return _install(environment(OWN, *SUITE), arguments)


def _install(python: Path, names: list[str]) -> int:
    return run(python, "-m", "tests.servers", "install", *names)


def test(arguments: list[str]) -> int:
    """Run the tests; without arguments, all of them on every tested Python of this machine.

    The arguments go to pytest. With some, one Python is set up, the newest tested one that this machine has, and only
    the servers that the selected tests need. `--all-pythons` selects every Python.
    """
    selected = [argument for argument in arguments if argument != ALL_PYTHONS]
    found = {version: interpreter(version) for version in TESTED}
    versions = [version for version, python in found.items() if python] or [OWN]  # a newer one is better than none
    if selected and ALL_PYTHONS not in arguments:
        versions = versions[-1:]
    pythons = [environment(version, *SUITE) for version in versions[:-1]]
    pythons.append(environment(versions[-1], *SUITE, *BROWSER))
    # A server that is missing says so; its tests are skipped, or fail if DOORKEY_REQUIRE_SERVERS is 1.
    if names := needed(pythons[-1], selected) if selected else ["all"]:
        _install(pythons[-1], [] if names == ["all"] else names)
    worst = 0
    for version, python in zip(versions, pythons, strict=True):
        say(f"pytest on Python {version}")
        own = selected or usual(newest=version == versions[-1])
        # pytest rewrites a thousand files of tests: a worker that may not keep them does so anew, for 13 s of CPU.
        worst = max(worst, run(python, "-m", "pytest", *own, PYTHONDONTWRITEBYTECODE=""))
    missing = [version for version, python in found.items() if not python]
    if missing and len(versions) > 1:
        say(
            f"not tested, because this machine lacks it: Python {', '.join(missing)} (pyenv or your system may have it)"
        )
    return worst


def usual(*, newest: bool) -> list[str]:
    """Return the arguments of pytest without a selection; the `newest` Python also runs the tests `OF_NO_PYTHON`."""
    # More workers than processors: many tests wait for a silent server or a deadline. All workers share the servers.
    workers = ["-n", str(min((os.cpu_count() or 1) + 1, 4)), "--dist", "loadgroup"]
    return workers if newest else [*workers, *(f"--ignore={path}" for path in OF_NO_PYTHON)]


def needed(python: Path, arguments: list[str]) -> list[str]:
    """Return the servers that the selected tests need; if they cannot be collected, none."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "servers"
        collect = ["--collect-only", "-qq", "--no-summary", "-n", "0", "-p", "no:cacheprovider"]
        command: list[str | Path] = [python, "-m", "pytest", *arguments, *collect, f"--write-servers={file}"]
        subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
        return file.read_text("utf-8").split() if file.exists() else []
