"""`./dev check`: all checks of the project except the tests."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.environments import BROWSER, SUITE, environment
from tools.interpreters import OWN
from tools.running import ROOT, captured, say


def check(_: list[str]) -> int:
    """Run every check, and return 1 if one of them fails."""
    python = environment(OWN, *SUITE, *BROWSER, "check")
    typed = [folder for folder in ("src", "tests", "demo", "bench", "tools") if (ROOT / folder).is_dir()]
    steps: dict[str, list[str | Path]] = {
        "ruff format": ["ruff", "format", "--check", "."],
        "ruff check": ["ruff", "check", "."],
        "mypy": ["mypy", *typed, "dev"],
        "pyright": ["pyright", "--pythonpath", python, "--project", ROOT],  # not the configuration of a folder above
        "each pure module by its own tests": ["tests.support.coverage_of_each"],
        "documentation": ["tools.docs", "--build"],
        "changelog": ["towncrier", "build", "--draft", "--version", "next"],
    }
    failed: list[str] = []
    # The wheel contains pyright itself. Without this setting it would request the newest version from the npm registry
    bundled = {"PYRIGHT_PYTHON_USE_BUNDLED_PYRIGHT": "1"}
    with ThreadPoolExecutor(os.cpu_count()) as processors:  # mypy and pyright each use one for a minute or more
        running = {
            name: processors.submit(captured, python, "-m", *command, **bundled) for name, command in steps.items()
        }
        for name, step in running.items():
            code, output = step.result()
            say(name)
            print(output, end="", flush=True)
            if code:
                failed.append(name)
    say(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return int(bool(failed))
