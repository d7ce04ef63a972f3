"""Installing packages: uv is asked first, for the packages and the index that pip would use, and pip if uv fails."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tools import installing
from tools.installing import install, settings

ARGUMENTS = ("--require-hashes", "-r", "some.txt")


def script(place: Path, text: str) -> Path:
    """Make a program of the shell that writes its name and arguments into the file `calls` beside its folder."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f'#!/bin/sh\necho "{place.name} $*" >> "{place.parents[1] / "calls"}"\n{text}\n', "utf-8")
    place.chmod(0o700)
    return place


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment of uv in which each program is a script; pip has an index of its own there."""
    home = tmp_path / "uv"
    script(home / "bin" / "python", "echo \"global.index-url='https://index.example/simple'\"")
    script(home / "bin" / "uv", f'echo "index $UV_DEFAULT_INDEX" >> "{home / "calls"}"')
    (home / "stamp").write_text(hashlib.sha256(installing.REQUIREMENTS.read_bytes()).hexdigest(), "utf-8")
    for variable in installing.OF_PIP.values():
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(installing, "HOME", home)
    installing._settings.cache_clear()
    return home


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """The Python of an environment that is filled; it has no pip."""
    return script(tmp_path / "env" / "bin" / "python", '[ "$*" != "-m pip --version" ]')


def calls(program: Path) -> list[str]:
    written = program.parents[1] / "calls"
    return written.read_text("utf-8").splitlines() if written.exists() else []


def test_uv_installs_from_the_index_of_pip(home: Path, python: Path) -> None:
    install(python, *ARGUMENTS)
    uv = f"uv pip install --quiet --python {python} --require-hashes -r some.txt"
    assert calls(home / "bin" / "uv")[-2:] == [uv, "index https://index.example/simple"]
    assert calls(python) == []


def test_pip_installs_the_same_if_uv_fails(home: Path, python: Path, capfd: pytest.CaptureFixture[str]) -> None:
    script(home / "bin" / "uv", 'echo "uv: no such index" >&2; [ "$1" = --version ]')
    install(python, *ARGUMENTS)
    assert calls(python) == [
        "python -m pip --version",
        "python -m ensurepip",
        "python -m pip install --quiet --disable-pip-version-check --require-hashes -r some.txt",
    ]
    assert capfd.readouterr().err == "uv: no such index\ndev: uv failed (see above), so pip installs the packages\n"


def test_packages_that_neither_can_install_are_an_error(home: Path, python: Path) -> None:
    script(home / "bin" / "uv", '[ "$1" = --version ]')
    script(python, "exit 1")
    with pytest.raises(SystemExit, match="failed with 1"):
        install(python, *ARGUMENTS)


@pytest.mark.parametrize(
    ("listed", "variables"),
    [
        ("", {}),
        (":env:.default-timeout='180'\nglobal.no-cache-dir='1'\n", {}),
        ("global.cert='/etc/ssl/ca.crt'\n", {"SSL_CERT_FILE": "/etc/ssl/ca.crt"}),
        ("global.index-url='https://a.example'\ninstall.index-url='https://b.example'\n", {"UV_DEFAULT_INDEX": "https://b.example"}),
        (":env:.index-url='https://c.example'\ninstall.index-url='https://b.example'\n", {"UV_DEFAULT_INDEX": "https://c.example"}),
        ("global.extra-index-url='\\nhttps://a.example\\nhttps://b.example'\n", {"UV_INDEX": "https://a.example https://b.example"}),
        (":env:.find-links='/wheels https://a.example'\n", {"UV_FIND_LINKS": "/wheels,https://a.example"}),
    ],
)  # fmt: skip
def test_uv_reads_where_pip_finds_packages(listed: str, variables: dict[str, str]) -> None:
    assert settings(listed, frozenset()) == variables


def test_a_variable_of_uv_that_is_set_already_is_kept() -> None:
    listed = "global.index-url='https://a.example'\nglobal.cert='/etc/ssl/ca.crt'\n"
    assert settings(listed, frozenset({"UV_DEFAULT_INDEX"})) == {"SSL_CERT_FILE": "/etc/ssl/ca.crt"}
