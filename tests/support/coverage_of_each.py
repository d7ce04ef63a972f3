"""Prove that the tests of a module alone cover it: ``python -m tests.support.coverage_of_each``.

The tests of `wire/flow` are tests/wire/test_flow.py, and test_flow_*.py where there are many.

A line that only the tests of other modules run has no test of its own. So each file of tests is a context of the
measurement, and a module is reported by its own contexts, and that of its import. A few processes run the files of all
modules: one for each module would spend most of its time on starting.
"""

import importlib
import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import coverage
import pytest

ROOT = Path(__file__).resolve().parents[2]
PURE = (
    "wire/*",
    "pages/*",
    "protocol/*",
    "native/http_request",
    "native/callbacks",
    "native/methods",
    "native/pasted",
    "renewal/backoff",
    "renewal/dead_grant",
    "renewal/next_token",
    "renewal/api_rejections",
    "renewal/slot",
    "renewal/attempts",
)
MODULES = sorted(
    str(path.relative_to(ROOT / "src/doorkey").with_suffix(""))
    for pattern in PURE
    for path in (ROOT / "src/doorkey").glob(f"{pattern}.py")
    if path.stem != "__init__"
)


def tests_of(module: str) -> list[str]:
    """Return the test files of a module."""
    folder, _, name = module.rpartition("/")
    more = sorted((ROOT / "tests" / folder).glob(f"test_{name}_*.py"))
    return [f"tests/{folder}/test_{name}.py", *(str(path.relative_to(ROOT)) for path in more)]


class Contexts:
    """The plugin of pytest that names the file of tests whose lines run now; definitions belong to none."""

    def __init__(self, measure: coverage.Coverage, modules: Sequence[str]) -> None:
        self._measure, self._modules, self._file = measure, modules, ""

    def pytest_sessionstart(self) -> None:
        """Import the modules before a file of tests does."""
        for module in self._modules:
            importlib.import_module(f"doorkey.{module.replace('/', '.')}")

    def _enter(self, path: Path) -> None:
        file = str(path.relative_to(ROOT))
        if file != self._file:
            self._file = file
            self._measure.switch_context(file)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, object, object]:
        if isinstance(collector, pytest.Module):
            self._enter(collector.path)
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self._enter(item.path)
        return (yield)


def uncovered(modules: Sequence[str], folder: str) -> list[str]:
    """Run the tests of `modules` in this process, and return what they leave out of their own module."""
    measure = coverage.Coverage(f"{folder}/data-{os.getpid()}", config_file=str(ROOT / "pyproject.toml"))
    alone: dict[str, Any] = {"run:parallel": False, "run:patch": []}  # no process of a test is measured
    for option, value in alone.items():
        measure.set_option(option, value)
    measure.start()
    files = [file for module in modules for file in tests_of(module)]
    status = pytest.main(["-q", "-p", "no:cacheprovider", *files], plugins=[Contexts(measure, modules)])
    measure.switch_context("")  # what the last file ran is its own
    measure.stop()
    if status:
        return ["the tests fail"]
    return [left for module in modules if (left := _report(measure, module))]


def _report(measure: coverage.Coverage, module: str) -> str:
    own = [f"^{re.escape(file)}$" for file in tests_of(module)]
    said = io.StringIO()
    covered = measure.report(include=[f"src/doorkey/{module}.py"], contexts=["^$", *own], file=said)
    return "" if covered == 100 else said.getvalue()


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def main(modules: Sequence[str]) -> int:
    """Print the uncovered lines of `modules`, measured in this process. Without modules, measure all of them in several
    processes. Return 1 if a line is not covered."""
    if modules:
        with tempfile.TemporaryDirectory() as folder:
            left = uncovered(modules, folder)
        print("\n".join(left))
        return int(bool(left))
    shares = min(len(MODULES), os.cpu_count() or 1)
    command = [sys.executable, "-m", "tests.support.coverage_of_each"]
    with ThreadPoolExecutor(shares) as pool:
        ran = list(pool.map(_run, ([*command, *MODULES[number::shares]] for number in range(shares))))
    failed = [one.stdout[-6000:] + one.stderr[-3000:] for one in ran if one.returncode]
    print("\n".join(failed) or f"the tests of each of {len(MODULES)} modules cover it fully")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
