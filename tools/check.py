"""`./dev check`: all checks of the project except the tests."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from tools.environments import BROWSER, SUITE, environment
from tools.interpreters import OWN
from tools.running import ROOT, captured, say

TESTS: Final = "each pure module by its own tests"
"""The check that is not repeated: a test that fails only sometimes is a bug."""


def check(_: list[str]) -> int:
    """Run every check, and return 1 if one of them fails."""
    python = environment(OWN, *SUITE, *BROWSER, "check")
    typed = [folder for folder in ("src", "tests", "demo", "bench", "tools") if (ROOT / folder).is_dir()]
    steps: dict[str, list[str | Path]] = {
        "ruff format": ["ruff", "format", "--check", "."],
        "ruff check": ["ruff", "check", "."],
        "mypy": ["mypy", *typed, "dev"],
        "pyright": ["pyright", "--pythonpath", python, "--project", ROOT],  # not the configuration of a folder above
        TESTS: ["tests.support.coverage_of_each"],
        "documentation": ["tools.docs", "--build"],
        "changelog": ["towncrier", "build", "--draft", "--version", "next"],
    }
    failed: dict[str, str] = {}
    # The wheel contains pyright itself. Without this setting it would request the newest version from the npm registry
    bundled = {"PYRIGHT_PYTHON_USE_BUNDLED_PYRIGHT": "1"}
    with ThreadPoolExecutor(os.cpu_count()) as processors:  # mypy and pyright each use one for a minute or more
        running = {
            name: processors.submit(captured, python, "-m", *command, **bundled) for name, command in steps.items()
        }
        try:
            for name, step in running.items():
                code, output = step.result()
                if code:
                    say(f"{name} failed: its output is below")
                    failed[name] = f"{output}dev: {name} ended with {code}\n"
                else:
                    _show(name, output)
        finally:  # last, where a log that is cut still has them
            for name, output in failed.items():
                _show(name, output)
    for name in [name for name in failed if name != TESTS]:
        say(f"{name} again, alone, in case it lacked memory beside the others")
        code, output = captured(python, "-m", *steps[name], **bundled)
        print(output, end="", flush=True)
        say(f"{name} ended with {code}")
        if not code:
            del failed[name]
    say(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return int(bool(failed))


def _show(name: str, output: str) -> None:
    say(name)
    print(output, end="", flush=True)
