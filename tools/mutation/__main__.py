"""Run the tests of one module against each of its mutants, and print the mutants that survive.

The copies of the tree are in a temporary folder, which is removed at the end and on Ctrl-C.
"""

from __future__ import annotations

import argparse
import difflib
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tools.mutation.faults import Mutant, mutants

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path("src/doorkey")


def belonging_to(module: Path, root: Path) -> list[str]:
    """Return the tests of a module: `test_MODULE.py` and `test_MODULE_*.py` in the mirrored folder or one above it.

    If there are no such files, return the nearest of these folders that exists.
    """
    folder = module.relative_to(PACKAGE).parent
    name = module.stem.strip("_")
    folders = [Path("tests") / part for part in (folder, *folder.parents)]
    for place in folders:
        found = sorted({root / place / f"test_{name}.py", *(root / place).glob(f"test_{name}_*.py")})
        if present := [str(path.relative_to(root)) for path in found if path.exists()]:
            return present
    for place in folders[:-1]:
        if (root / place).is_dir():
            return [str(place)]
    raise SystemExit(f"mutate: no tests belong to {module}; name them: ./dev mutate {module} tests/…")


def copy_of(root: Path, target: Path) -> Path:
    """Copy the files of the working tree that git tracks or would add to `target`."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        check=True,
    )
    for name in listing.stdout.decode().split("\0"):
        if name and (root / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, target / name)
    return target


@dataclass(slots=True)
class Runner:
    """Runs the tests in copies of the tree, with one run at a time in each copy."""

    module: Path
    tests: Sequence[str]
    copies: queue.Queue[Path]
    timeout: float = 600.0

    def failing(self, source: str) -> str:
        """Return the output of the failing tests with this source of the module, or an empty text if they pass."""
        copy = self.copies.get()
        try:
            return self._failing(copy, source)
        finally:
            self.copies.put(copy)

    def _failing(self, copy: Path, source: str) -> str:
        (copy / self.module).write_text(source, "utf-8")
        for stale in (copy / self.module).parent.glob(f"__pycache__/{self.module.stem}.*.pyc"):
            stale.unlink()  # Python would use it if the source has the same size and the same mtime in seconds
        pytest = [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider"]
        process = subprocess.Popen(
            [*pytest, "-m", "not real_server", *self.tests],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(copy / "src")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that a mutant that hangs can be killed with all its child processes
        )
        RUNNING.add(process)
        try:
            output, _ = process.communicate(timeout=self.timeout)
        except subprocess.TimeoutExpired:
            end(process)
            return "no end"
        finally:
            RUNNING.discard(process)
        return output.decode("utf-8", "replace") or "failed" if process.returncode else ""


RUNNING: set[subprocess.Popen[bytes]] = set()


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a run and its child processes."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def shown(module: Path, before: str, after: str) -> str:
    """Return a mutant as a diff."""
    names = str(module), f"{module} (mutant)"
    return "\n".join(difflib.unified_diff(before.splitlines(), after.splitlines(), *names, lineterm="", n=2))


def search(runner: Runner, source: str, found: Sequence[Mutant], jobs: int) -> int:
    """Try every mutant, print those that survive, and return their number."""
    survivors, tried, interrupted = 0, 0, False
    printing = threading.Lock()

    def attempt(mutant: Mutant) -> None:
        nonlocal survivors, tried
        alive = not runner.failing(mutant.source)
        with printing:
            if interrupted:
                return  # its run was killed, so the result means nothing
            tried += 1
            survivors += alive
            if alive:
                print(f"\n{shown(runner.module, source, mutant.source)}", flush=True)
            if tried % 10 == 0:
                print(f"mutate: {tried} of {len(found)} tried, {survivors} survived", file=sys.stderr, flush=True)

    with ThreadPoolExecutor(jobs) as pool:
        try:
            list(pool.map(attempt, found))
        except KeyboardInterrupt:
            interrupted = True
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(RUNNING):
                end(process)
            print("\nmutate: interrupted", file=sys.stderr)
    print(f"\n{runner.module}: the tests killed {tried - survivors} of {tried} mutants; {survivors} survived")
    return survivors


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="./dev mutate", description="Put small faults into a module and run its tests."
    )
    parser.add_argument("module", help="a file below src/doorkey")
    parser.add_argument("tests", nargs="*", help="tests to run instead of those that belong to the module")
    parser.add_argument("--jobs", type=int, default=1, help="runs at the same time (1)")
    parser.add_argument("--lines", metavar="FIRST-LAST", help="only faults in these lines")
    options = parser.parse_args()
    module = Path(options.module).resolve().relative_to(ROOT)
    source = (ROOT / module).read_text("utf-8")
    tests: list[str] = options.tests or belonging_to(module, ROOT)
    found = mutants(source)
    if options.lines:
        first, _, last = options.lines.partition("-")
        found = [mutant for mutant in found if int(first) <= mutant.line <= int(last or first)]
    print(f"mutate: {len(found)} mutants of {module}; tests: {' '.join(tests)}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="doorkey-mutate-", ignore_cleanup_errors=True) as folder:
        copies: queue.Queue[Path] = queue.Queue()
        for number in range(options.jobs):
            copies.put(copy_of(ROOT, Path(folder) / str(number)))
        runner = Runner(module, tests, copies)
        begun = time.monotonic()
        if failing := runner.failing(source):
            print(failing[-3000:], "mutate: the tests fail without any fault", sep="\n", file=sys.stderr)
            return 2
        runner.timeout = 30 + 5 * (time.monotonic() - begun)
        print(f"mutate: one run takes {time.monotonic() - begun:.1f} s", file=sys.stderr, flush=True)
        return int(bool(search(runner, source, found, options.jobs)))


if __name__ == "__main__":
    sys.exit(main())
