"""What the project's own files promise: pinned, hashed, naming no host, and small."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import doorkey

ROOT = Path(__file__).resolve().parents[1]
PINNED = sorted(
    path.relative_to(ROOT) for folder in ("requirements", "tests/servers") for path in (ROOT / folder).rglob("*.txt")
)
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
LISTED = subprocess.run(
    ["git", "ls-files", "*.py", "dev"], cwd=ROOT, capture_output=True, text=True, check=False
).stdout.split()


def names(requirements: str) -> set[str]:
    """The packages that lines like `httpx2>=2.16` name."""
    found = (re.match(r"[A-Za-z0-9_.-]+", line) for line in requirements.splitlines() if line[:1] != "-")
    return {match[0].lower() for match in found if match}


@pytest.mark.parametrize("path", PINNED, ids=str)
def test_every_requirement_is_pinned_and_hashed_and_no_host_is_named(path: Path) -> None:
    text = (ROOT / path).read_text()
    for requirement in text.replace("\\\n", "").splitlines():
        assert re.match(r"[a-z0-9_.-]+==[^ ]+ (; .+ )?.*--hash=sha256:[0-9a-f]{64}", requirement), requirement
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


def test_every_pinned_set_has_its_source() -> None:
    assert PINNED
    assert all((ROOT / path).with_suffix(".in").exists() for path in PINNED)


def test_the_lock_file_of_oidc_provider_names_no_place_to_download_from() -> None:
    assert '"resolved"' not in (ROOT / "tests/servers/oidc_provider_app/package-lock.json").read_text()


def asked_for() -> list[str]:
    """Every requirement of the package and of its extras; `dev` is another name of `server`."""
    extras: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
    assert extras["dev"] == ["doorkey[server]"]
    own = [line for name, lines in extras.items() if name not in ("all", "dev") for line in lines]
    return [*own, *PROJECT["project"]["dependencies"]]


def test_the_lowest_versions_that_are_tested_are_those_that_the_package_allows() -> None:
    lowest = (ROOT / "requirements/lowest.in").read_text().partition("# what runs the tests")[0]
    lines = [line for line in lowest.splitlines() if not line.startswith("#")]
    assert sorted(set(asked_for())) == sorted(lines)
    pinned = (ROOT / "requirements/lowest.txt").read_text()
    assert names("\n".join(lines)) <= names(pinned)


def test_the_package_alone_needs_no_http_library_and_no_framework() -> None:
    assert names("\n".join(PROJECT["project"]["dependencies"])) == {"joserfc", "cryptography"}


def test_the_tests_run_with_the_packages_of_the_extras() -> None:
    extras: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
    asked = asked_for()
    runtime = (ROOT / "requirements/runtime.in").read_text()
    assert names("\n".join(asked)) == names(re.sub(r"(?m)^#.*$", "", runtime))
    assert set(re.findall(r"[\w-]+", extras["all"][0].split("[")[1])) == set(extras) - {"all"}


def test_the_version_is_written_once() -> None:
    read = [sys.executable, "-m", "hatchling", "metadata", "version"]
    assert (
        subprocess.run(read, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip() == doorkey.__version__
    )
    assert "version" not in PROJECT["project"].keys() | PROJECT["tool"]["towncrier"].keys()
    assert PROJECT["tool"]["towncrier"]["package"] == "doorkey"


@pytest.mark.skipif(not LISTED, reason="not a git checkout")
def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {name: len((ROOT / name).read_text().splitlines()) for name in LISTED if (ROOT / name).exists()}
    assert {name: length for name, length in lengths.items() if length > 400} == {}
