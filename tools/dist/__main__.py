"""`./dev dist`: build the distributions, check their contents, and test the package that they install."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import doorkey
from tools.dist.building import Built, NotReproducible, build, latest, tracked
from tools.dist.contents import problems, required_by
from tools.dist.installed import check_import, copy_tests, environment, install, test
from tools.dist.locks import blocks, closure, file_line, versions
from tools.interpreters import TESTED, interpreter, newer
from tools.running import ROOT, say, side_by_side

QUICK: Final = (
    *("tests/test_errors.py", "tests/test_values.py", "tests/test_tokens.py", "tests/test_discovery.py"),
    *("tests/test_registration.py", "tests/testing/test_kit.py"),
)
COMPLETE: Final = (
    *QUICK,
    *("tests/auth", "tests/sources", "tests/integrations", "tests/httpx_transport", "tests/resource"),
    *("tests/stores", "tests/login/web", "tests/jose", "tests/dev/test_provider.py", "tests/dev/test_registration.py"),
    *("tests/native", "tests/cli", "--ignore=tests/cli/processes", "--ignore=tests/auth/test_niquests.py"),
)
"""All tests except those that create an environment with the package from the sources, and those that run the command
line in many processes."""
LOWEST: Final = (*COMPLETE, "--deselect", "tests/auth/test_starlette.py::test_it_is_a_client_of_httpx2")
"""Without the test of Starlette's test client, which is a client of httpx in the lowest version."""
OF_QUICK: Final = ("requests", "httpx2", "httpx", "server")
"""The extras that the quick tests need."""
RUNNERS: Final = ("pytest", "pytest-xdist", "trio", "hypothesis", "requests-mock")
BUILD: Final = ROOT / "requirements" / "build.txt"
"""The pinned packages that build the distributions."""
LOCKS: Final = tuple(ROOT / "requirements" / f"{name}.txt" for name in ("runtime", "test"))


def main(arguments: Sequence[str]) -> int:
    """Build, check and test the distributions, and return 1 if there is a fault."""
    parser = argparse.ArgumentParser(prog="./dev dist", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="the folder for the two files (default: dist/)")
    parser.add_argument("--quick", action="store_true", help="a few tests for each Python, as CI runs them")
    parser.add_argument("--only-build", action="store_true", help="build and check, but do not test")
    parser.add_argument("--on", metavar="VERSION", help="do not build; test the files in --out on this Python only")
    options = parser.parse_args(arguments)
    if options.on:
        return _tested_on(options.on, latest(options.out), quick=options.quick)
    say("building the wheel and the source distribution, twice")
    try:
        built = build(Path(sys.executable), options.out)
    except NotReproducible as error:
        say(str(error))
        return 1
    wrong = list(problems(built, tracked(), doorkey.__version__))
    for problem in wrong:
        say(problem)
    if wrong:
        return 1
    say(f"{built.wheel.name} and {built.sdist.name} are reproducible and complete")
    return 0 if options.only_build else _tested(options.out.resolve(), quick=options.quick)


def _tested(out: Path, *, quick: bool) -> int:
    """Test the distributions in `out` on all Pythons at the same time."""
    command: list[str | Path] = [sys.executable, "-m", "tools.dist", "--out", out, *(["--quick"] if quick else [])]
    failed = side_by_side([(f"the distributions on {one}", [*command, "--on", one]) for one in _pythons()])
    say("tests of the installed package failed, see above" if failed else "all tests of the installed package passed")
    return failed


def _pythons() -> list[str]:
    return [version for version in TESTED if interpreter(version)] + newer()


def _tested_on(version: str, built: Built, *, quick: bool) -> int:
    failed: list[str] = []
    pythons = _pythons()
    with tempfile.TemporaryDirectory() as temporary:
        tests = copy_tests(Path(temporary) / "tests")
        say(f"the wheel on Python {version}, in a new environment")
        python = _environment(version, temporary)
        if _installed(python, _alone(built, built.wheel)) or check_import(python, tests):
            failed.append(f"the package alone on {version}")
        selection = QUICK if quick else COMPLETE
        if _installed(python, _requirements(built, quick=quick)) or test(python, tests, selection):
            failed.append(f"tests on {version}")
        if version == pythons[-1] or not quick:
            say(f"the source distribution on Python {version}: pip builds it")
            python = _environment(version, temporary)
            if _installed(python, _alone(built, built.sdist), build=versions(BUILD)) or check_import(python, tests):
                failed.append(f"the source distribution on {version}")
        if version == pythons[0] and not quick:
            say(f"the lowest versions of every library, on Python {version}")
            python = _environment(version, temporary)
            lowest = file_line(built.wheel) + (ROOT / "requirements/lowest.txt").read_text("utf-8")
            if _installed(python, lowest) or test(python, tests, LOWEST):
                failed.append("tests on the lowest versions")
    if failed:
        say(f"failed: {', '.join(failed)}")
    return int(bool(failed))


def _environment(version: str, temporary: str) -> Path:
    """Return the Python of a new environment, which replaces an earlier one in the same folder."""
    base = interpreter(version)
    assert base is not None
    return environment(base, Path(temporary) / version)


def _installed(python: Path, requirements: str, build: str | None = None) -> int:
    return install(Path(sys.executable), python, requirements, python.parents[1], build=build)


def _alone(built: Built, file: Path) -> str:
    """Return the requirements of `pip install doorkey`: one of the files, and its dependencies, pinned."""
    return file_line(file) + closure(["doorkey"], blocks(*LOCKS), required_by(built.wheel))


def _requirements(built: Built, *, quick: bool) -> str:
    """Return the requirements of the tests: the wheel, and the packages that the tests need, pinned."""
    locked = blocks(*LOCKS)
    if quick:
        extras = f"[{','.join(OF_QUICK)}]"
        needed = closure([f"doorkey{extras}", *RUNNERS], locked, required_by(built.wheel))
        return file_line(built.wheel, extras) + needed
    return file_line(built.wheel) + "\n".join(locked.values()) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
