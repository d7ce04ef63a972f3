"""Installing packages into an environment with uv, which takes 3 s of CPU instead of pip's 40 s.

uv is pinned and hashed like all packages, and pip installs it into `.venv/uv`. It uses the index and the certificates
of pip's configuration. If it fails, pip installs the packages.
"""

from __future__ import annotations

import ast
import fcntl
import functools
import hashlib
import os
import shutil
import sys
from pathlib import Path

from tools.running import ROOT, captured, must, run, say

HOME = ROOT / ".venv" / "uv"
REQUIREMENTS = ROOT / "requirements" / "uv.txt"
PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
OF_PIP = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
}
"""The settings of pip for package indexes and certificates, and the environment variable of uv for each."""


def install(python: Path, *arguments: str | Path) -> None:
    """Install packages into the environment of `python`. The arguments are options of both uv and pip."""
    if uv := _uv():
        if not run(uv, "pip", "install", "--quiet", "--python", python, *arguments, **_settings()):
            return
        say("uv failed (see above), so pip installs the packages")
    if captured(python, "-m", "pip", "--version")[0]:
        must(python, "-m", "ensurepip")
    must(python, *PIP, *arguments)


def settings(listed: str, present: frozenset[str]) -> dict[str, str]:
    """Return the variables for uv from the output of `pip config list`, without those that are `present` already."""
    found = {key: value for key, _, value in (line.partition("=") for line in listed.splitlines())}
    variables: dict[str, str] = {}
    for name, variable in OF_PIP.items():
        values = [found[key] for place in (":env:", "install", "global") if (key := f"{place}.{name}") in found]
        if values and variable not in present:
            words = str(ast.literal_eval(values[0])).split()
            variables[variable] = ("," if variable == "UV_FIND_LINKS" else " ").join(words)
    return variables


@functools.cache
def _settings() -> dict[str, str]:
    code, listed = captured(HOME / "bin" / "python", "-m", "pip", "config", "list")
    return {"UV_PYTHON_DOWNLOADS": "never"} | ({} if code else settings(listed, frozenset(os.environ)))


def _uv() -> Path | None:
    """Return the path of uv, which is installed if needed, or None if pip cannot install it on this machine."""
    program, stamp = HOME / "bin" / "uv", HOME / "stamp"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    HOME.parent.mkdir(exist_ok=True)
    with (HOME.parent / "uv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text("utf-8") == wanted and not captured(program, "--version")[0]:
            return program
        say("installing uv into .venv/uv: about 25 MB, less what pip has cached")
        shutil.rmtree(HOME, ignore_errors=True)
        if run(sys.executable, "-m", "venv", HOME):
            return None
        if run(HOME / "bin" / "python", *PIP, "--no-compile", "--require-hashes", "-r", REQUIREMENTS):
            return None
        stamp.write_text(wanted, "utf-8")
        return program
