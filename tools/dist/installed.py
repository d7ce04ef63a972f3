"""Tests of the installed distributions, in a new environment that cannot import the sources."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from tools.running import ROOT

HERE: Final = ("tests", "docs", "pyproject.toml")
"""The parts of the checkout that the tests need. The sources are not among them."""
ALONE: Final = """
import importlib.metadata, subprocess, sys
import doorkey
assert "site-packages" in doorkey.__file__, doorkey.__file__
assert doorkey.__version__ == importlib.metadata.version("doorkey")
from doorkey.jose.generation import generate_key
generate_key("ES256")
doorkey.ClientCredentials("client-1", "secret")
others = {one.metadata["Name"].lower() for one in importlib.metadata.distributions()}
assert others == {"doorkey", "joserfc", "cryptography", "cffi", "pycparser"}, others
done = subprocess.run([sys.executable, "-m", "doorkey"], capture_output=True, text=True)
assert done.returncode == 2 and "doorkey[cli]" in done.stderr, done
"""
"""A program that uses the package without extras, and fails if the environment has any other package."""


def environment(base: Path, folder: Path) -> Path:
    """Create an empty environment of the interpreter `base` in `folder`, and return its Python."""
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([base, "-m", "venv", "--without-pip", folder], check=True)
    return folder / "bin" / "python"


def install(pip: Path, python: Path, requirements: str, folder: Path, *, build: str | None = None) -> int:
    """Install pinned `requirements` into the environment of `python`, and return pip's exit code.

    pip: the interpreter whose pip is used. folder: the folder for the file of requirements. build: the versions of the
    packages with which pip builds a source distribution, one for each line. They have no hashes, because pip would then
    require a hash for every package.
    """
    file = folder / "requirements.txt"
    file.write_text(requirements, "utf-8")
    command: list[str | Path] = [pip, "-m", "pip", "--python", python, "install", "--quiet", "--no-compile"]
    command += ["--disable-pip-version-check", "--require-hashes", "-r", file]
    variables = os.environ.copy()
    if build is not None:
        (folder / "build.txt").write_text(build, "utf-8")
        variables["PIP_CONSTRAINT"] = str(folder / "build.txt")
    return subprocess.run(command, env=variables, stdin=subprocess.DEVNULL, check=False).returncode


def copy_tests(folder: Path) -> Path:
    """Copy the tests into `folder`, from which they cannot import the sources, and return the folder."""
    for name in HERE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / name)
    return folder


def check_import(python: Path, folder: Path) -> int:
    """Run a program that imports the installed package, and return its exit code."""
    return _run(python, folder, "-c", ALONE)


def test(python: Path, folder: Path, selection: tuple[str, ...]) -> int:
    """Run a selection of the copied tests against the installed package, and return pytest's exit code."""
    return _run(python, folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not real_server", *selection)


def _run(python: Path, folder: Path, *arguments: str) -> int:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DOORKEY"))}
    return subprocess.run([python, *arguments], cwd=folder, env=clean, stdin=subprocess.DEVNULL, check=False).returncode
