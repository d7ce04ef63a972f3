"""`./dev test`: sets up the environments and the servers, and runs the tests."""

from __future__ import annotations

import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

from tools.environments import BROWSER, SUITE, environment
from tools.interpreters import OWN, TESTED, interpreter
from tools.running import ROOT, Command, run, say, side_by_side

ALL_PYTHONS = "--all-pythons"

ON_ONE_PYTHON = (
    *("tests/tools", "tests/bench", "tests/browser", "tests/examples", "tests/demo"),
    "tests/cli/doctor/test_real_servers.py",
    "tests/cli/processes",
    *("tests/test_layers.py", "tests/test_source_rules.py", "tests/test_project.py", "tests/login/django/test_page.py"),
    "tests/login/django/test_contract_on_servers.py",
    "tests/sessions/grants/test_device_on_servers.py",
    *(
        "tests/test_guards.py",
        "tests/vault/test_processes_on_databases.py",
        "tests/interop/test_keycloak_recordings.py",
    ),
    *("tests/docs/test_words.py", "tests/docs/test_architecture.py", "tests/docs/test_navigation.py"),
    *("tests/docs/test_readme.py", "tests/test_imports.py", "tests/sessions/requests/test_first_request.py"),
    *("tests/login/attacks/test_ten_thousand_turns.py", "tests/login/attacks/shortcut/test_users_in_turns.py"),
)
"""Tests that run on one Python only: of the text, imports, tools, examples and demo of the repository, of pages in a
browser, of the command line in processes and terminals, and of eight processes on each database."""


Run: TypeAlias = tuple[str, Path, list[str]]
"""A run of pytest: its title, the Python, and the arguments."""


def servers(arguments: list[str]) -> int:
    """Install the named real servers, or all of them."""
    return _install(environment(OWN, *SUITE), arguments)


def _install(python: Path, names: list[str]) -> int:
    return run(python, "-m", "tests.servers", "install", *names)


def test(arguments: list[str]) -> int:
    """Run the tests; without arguments, all of them on every tested Python of this machine.

    The arguments are passed to pytest. With arguments, only the newest tested Python of this machine is set up, with
    only the servers that the selected tests need. `--all-pythons` selects every Python.
    """
    selected = [argument for argument in arguments if argument != ALL_PYTHONS]
    found = {version: interpreter(version) for version in TESTED}
    versions = [version for version, python in found.items() if python] or [OWN]  # without a tested one, a newer one
    if selected and ALL_PYTHONS not in arguments:
        versions = versions[-1:]
    with ThreadPoolExecutor(os.cpu_count()) as processors:
        others = [processors.submit(environment, version, *SUITE) for version in versions[:-1]]
        newest = environment(versions[-1], *SUITE, *BROWSER)
        pythons = [*(other.result() for other in others), newest]
    # A message reports a missing server. Its tests are skipped, or fail if DOORKEY_REQUIRE_SERVERS is 1.
    if names := needed(pythons[-1], selected) if selected else ["all"]:
        _install(pythons[-1], [] if names == ["all"] else names)
    if selected:
        runs = [(_title(version), python, selected) for version, python in zip(versions, pythons, strict=True)]
        worst = _one_by_one(runs)
    else:
        worst = _side_by_side(usual(versions, pythons))
    missing = [version for version, python in found.items() if not python]
    if missing and len(versions) > 1:
        say(f"not tested, because it is not installed: Python {', '.join(missing)} (pyenv or your system may have it)")
    return worst


def _title(version: str) -> str:
    return f"pytest on Python {version}"


def _one_by_one(runs: list[Run]) -> int:
    worst = 0
    for title, python, arguments in runs:
        say(title)
        worst = max(worst, run(python, "-m", "pytest", *arguments))
    return worst


def _side_by_side(runs: list[Run]) -> int:
    options = [*shared(os.cpu_count() or 1, len(runs)), "-o"]
    commands: list[tuple[str, Command]] = [
        (title, [python, "-m", "pytest", *options, f"cache_dir=.pytest_cache/{number}", *arguments])
        for number, (title, python, arguments) in enumerate(runs)
    ]
    with tempfile.TemporaryDirectory(prefix="doorkey-servers-") as folder:
        try:
            return side_by_side(commands, DOORKEY_SERVERS=f"{os.getpid()}:{folder}")
        finally:
            run(runs[0][1], "-m", "tests.servers", "stop", folder)


def usual(versions: list[str], pythons: list[Path]) -> list[Run]:
    """Return the runs of all tests: one for each Python, and one for `ON_ONE_PYTHON` on the last Python."""
    others = [f"--ignore={path}" for path in ON_ONE_PYTHON]
    every = [(_title(version), python, others) for version, python in zip(versions, pythons, strict=True)]
    return [*every, (f"{_title(versions[-1])}: pages, programs and terminals", pythons[-1], list(ON_ONE_PYTHON))]


def shared(processors: int, runs: int) -> list[str]:
    """Return the arguments of pytest that share the processors among several concurrent runs.

    A run has only one process unless there are two processors for each run. Many tests wait for a silent server or a
    deadline, so there may be more runs than processors. One process collects the tests and creates their fixtures only
    once.
    """
    workers = processors // runs
    return ["-n", str(workers), "--dist", "loadgroup"] if workers > 1 else ["-n", "0"]


def needed(python: Path, arguments: list[str]) -> list[str]:
    """Return the servers that the selected tests need, or no servers if the tests cannot be collected."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "servers"
        collect = ["--collect-only", "-qq", "--no-summary", "-n", "0", "-p", "no:cacheprovider"]
        command: list[str | Path] = [python, "-m", "pytest", *arguments, *collect, f"--write-servers={file}"]
        subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
        return file.read_text("utf-8").split() if file.exists() else []
