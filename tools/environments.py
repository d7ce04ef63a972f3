"""The environments in .venv/<version>/: the pinned, hashed packages of requirements/, and this package, editable.

A stamp for each requirements file has the digest of the installed version, so that a second run starts at once.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from tools.installing import install
from tools.interpreters import interpreter
from tools.running import ROOT, must, say

SUITE = ("build", "runtime", "test", "bench")  # the bench is tested too
BROWSER = ("browser", "docs")
"""The packages that drive a browser and that build the site. Only one Python has them, because the pages are the same
on every Python."""
DOCUMENTED = ("build", "runtime", "test", "docs")
"""The packages that build the site. Its reference is generated from the public modules, which tests/test_public_api.py
lists."""
FUZZING = ("build", "runtime", "fuzz")
MEGABYTES = {
    "build": 1,
    "runtime": 34,
    "test": 16,
    "bench": 42,
    "demo": 4,
    "check": 99,
    "mutate": 3,
    "fuzz": 33,
    "browser": 55,
    "docs": 14,
}
"""The approximate download size of each requirement set."""


def outdated(version: str, sets: tuple[str, ...]) -> list[str]:
    """Return the requirement sets that `.venv/<version>` does not have, or has in another version."""
    stamps = ROOT / ".venv" / version / "stamps"
    wanted = _wanted(sets)
    return [name for name in wanted if not (stamps / name).exists() or (stamps / name).read_text() != wanted[name]]


def _wanted(sets: tuple[str, ...]) -> dict[str, str]:
    files = {name: ROOT / "requirements" / f"{name}.txt" for name in sets} | {"doorkey": ROOT / "pyproject.toml"}
    return {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items()}


def environment(version: str, *sets: str) -> Path:
    """Return the Python of .venv/<version>, after installing these requirement sets and the package into it."""
    home = ROOT / ".venv" / version
    python, stamps = home / "bin" / "python", home / "stamps"
    home.parent.mkdir(exist_ok=True)
    with (home.parent / f"{version}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not python.exists() or subprocess.run([python, "-c", ""], check=False).returncode:
            base = interpreter(version)
            if base is None:
                sys.exit(f"dev: Python {version} cannot make environments (apt-get install python3-venv)")
            say(f"making .venv/{version}")
            shutil.rmtree(home, ignore_errors=True)
            must(base, "-m", "venv", "--without-pip", home)
        stamps.mkdir(exist_ok=True)
        old = outdated(version, sets)
        locked = [part for name in sets for part in ("-r", ROOT / "requirements" / f"{name}.txt")]
        if any(name in sets for name in old):
            size = sum(MEGABYTES[name] for name in old if name in sets)
            say(f"installing {', '.join(sets)} into .venv/{version}: at most about {size} MB, less what is cached")
            install(python, "--require-hashes", *locked)
        if "doorkey" in old:  # only if outdated: tests in this environment fail while it is replaced
            install(python, "--no-deps", "--no-build-isolation", "--editable", ROOT)
        wanted = _wanted(sets)
        for name in old:
            (stamps / name).write_text(wanted[name])
    return python
