"""An environment of its own for a package that must not meet those of the tests: they share the name of a module."""

import shutil
import sys
from pathlib import Path

from tests.servers.prerequisites import cache
from tests.servers.process import digest, locked, run

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements"


def python_with(name: str) -> Path:
    """The interpreter that has what requirements/`name`.txt pins; installed at the first call. Raises Unavailable."""
    requirements = REQUIREMENTS / f"{name}.txt"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    home = cache() / name / f"{version}-{digest(requirements, sys.base_prefix)[:12]}"
    with locked(home.with_suffix(".lock")):
        if not (home / "installed").exists():
            shutil.rmtree(home, ignore_errors=True)
            run(sys.executable, "-m", "venv", home)
            pip: list[str | Path] = [home / "bin" / "python", "-m", "pip", "install", "--quiet"]
            run(*pip, "--disable-pip-version-check", "--require-hashes", "-r", requirements)
            (home / "installed").touch()
    return home / "bin" / "python"
