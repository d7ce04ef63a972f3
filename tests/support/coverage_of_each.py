"""Prove that the tests of a module alone cover it: ``python -m tests.support.coverage_of_each``.

The tests of `wire/flow` are tests/wire/test_flow.py, and test_flow_*.py where there are many.

A line that is covered only because another test passes through it is a line nobody has thought about.
"""

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PURE = (
    "wire/*",
    "pages/*",
    "protocol/*",
    "renewal/backoff",
    "renewal/dead_grant",
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


def uncovered(module: str) -> str:
    """Return what the test file of `module` leaves out of it, or nothing."""
    folder, _, name = module.rpartition("/")
    tests = [f"tests/{folder}/test_{name}.py", *sorted(map(str, Path(f"tests/{folder}").glob(f"test_{name}_*.py")))]
    with tempfile.TemporaryDirectory() as scratch:
        environment = {**os.environ, "COVERAGE_FILE": f"{scratch}/data"}
        measure = [sys.executable, "-m", "coverage"]
        ran = _run([*measure, "run", "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests], environment)
        if ran.returncode:
            return f"{module} fails:\n{ran.stdout[-3000:]}"
        _run([*measure, "combine", "-q", scratch], environment)
        source = f"src/doorkey/{module}.py"
        report = _run([*measure, "report", f"--include={source}", "--fail-under=100"], environment)
    return report.stdout if report.returncode else ""


def _run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def main() -> int:
    """Print what is left out, and return how many modules leave something out."""
    with ThreadPoolExecutor(min(len(MODULES), os.cpu_count() or 1)) as pool:
        left = [found for found in pool.map(uncovered, MODULES) if found]
    print("\n".join(left) or f"each of {len(MODULES)} test files covers its module fully")
    return len(left)


if __name__ == "__main__":
    sys.exit(main())
