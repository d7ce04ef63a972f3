"""An environment of its own for niquests: its fork of urllib3 has the same name, and must not meet requests."""

import shutil
import sys
from pathlib import Path

from tests.servers.prerequisites import cache
from tests.servers.process import digest, locked, run

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements" / "niquests.txt"


def niquests_python() -> Path:
    """The interpreter that has niquests; installed at the first call. Raises Unavailable."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    home = cache() / "niquests" / f"{version}-{digest(REQUIREMENTS, sys.base_prefix)[:12]}"
    with locked(home.with_suffix(".lock")):
        if not (home / "installed").exists():
            shutil.rmtree(home, ignore_errors=True)
            run(sys.executable, "-m", "venv", home)
            pip: list[str | Path] = [
                home / "bin" / "python",
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ]
            run(*pip, "--require-hashes", "-r", REQUIREMENTS)
            (home / "installed").touch()
    return home / "bin" / "python"
