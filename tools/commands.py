"""The commands of `./dev`, and its command line."""

from __future__ import annotations

import argparse
import sys

from tools.check import check
from tools.environments import DOCUMENTED, FUZZING, SUITE, environment
from tools.interpreters import OWN, TESTED, interpreter
from tools.running import ROOT, run, say
from tools.test import servers, test


def demo(arguments: list[str]) -> int:
    """Show the main job on the embedded provider, or on a real Keycloak."""
    return run(environment(OWN, "build", "runtime", "demo"), "-m", "demo", *arguments)


def bench(arguments: list[str]) -> int:
    """Compare with other libraries."""
    return run(environment(OWN, *SUITE), "-m", "bench", *arguments)


def docs(arguments: list[str]) -> int:
    """Build the documentation site, and serve it."""
    return run(environment(OWN, *DOCUMENTED), "-m", "tools.docs", *arguments)


def dist(arguments: list[str]) -> int:
    """Build and test the distributions."""
    return run(environment(OWN, "build", "runtime", "test"), "-m", "tools.dist", *arguments, PYTHONPATH=str(ROOT))


def record(arguments: list[str]) -> int:
    """Record the responses of a real Keycloak."""
    return run(environment(OWN, *SUITE), "-m", "tests.recordings.record", *arguments)


def mutate(arguments: list[str]) -> int:
    """Put small faults into a module and run its tests."""
    python = environment(OWN, *SUITE, "check", "mutate")
    return run(python, "-m", "tools.mutation", *arguments, PYTHONPATH=str(ROOT))


def fuzz(arguments: list[str]) -> int:
    """Fuzz the parsers on the newest tested Python of this machine, except 3.11, for which atheris has no wheel."""
    version = next((one for one in reversed(TESTED) if one != "3.11" and interpreter(one)), None)
    if version is None:
        say("fuzzing needs Python 3.12 or 3.13, because atheris has no wheel for 3.11")
        return 1
    return run(environment(version, *FUZZING), "-m", "tools.fuzz", *arguments, PYTHONPATH=str(ROOT))


COMMANDS = {
    "check": (check, "format, lint, types, the coverage of pure modules, changelog fragments"),
    "test": (test, "the tests; `./dev test` alone: on every tested Python, with every server"),
    "mutate": (mutate, "put small faults into one module and list those that its tests do not notice"),
    "fuzz": (fuzz, "mutate the inputs of each parser (--seconds N) [TARGET …]; without targets, all of them"),
    "demo": (demo, "the main job, step by step, on the embedded provider (--keycloak: on a real one)"),
    "bench": (bench, "compare with other libraries"),
    "docs": (docs, "build the documentation site and serve it on 127.0.0.1 (--build: only build)"),
    "dist": (dist, "build the wheel and the source distribution, check them, and test what they install (--quick)"),
    "servers": (servers, "install the real servers that tests use, nothing else"),
    "record": (record, "record the responses of a real Keycloak in tests/recordings/keycloak.json"),
}


def main() -> int:
    """Run the command that the command line names, or list the commands."""
    lines = "\n".join(f"  {name:8} {text}" for name, (_, text) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="./dev", epilog=f"commands:\n{lines}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", nargs="?", choices=COMMANDS, metavar="command")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if options.command is None:
        parser.print_help()
        return 0
    try:
        return COMMANDS[options.command][0](options.arguments)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
