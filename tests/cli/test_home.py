"""Where the accounts are kept on each platform."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from doorkey.cli.home import data_directory, home, make_home
from tests.support.cli_runner import Run

PLACES: list[tuple[dict[str, str], str, str]] = [
    ({"DOORKEY_HOME": "/keys", "XDG_DATA_HOME": "/data"}, "linux", "/keys"),
    ({"XDG_DATA_HOME": "/data"}, "linux", "/data/doorkey"),
    ({"XDG_DATA_HOME": "relative"}, "linux", "~/.local/share/doorkey"),
    ({"XDG_DATA_HOME": ""}, "freebsd14", "~/.local/share/doorkey"),
    ({}, "linux", "~/.local/share/doorkey"),
    ({}, "darwin", "~/Library/Application Support/doorkey"),
    ({"LOCALAPPDATA": "C:/Users/a/AppData/Local"}, "win32", "C:/Users/a/AppData/Local/doorkey"),
    ({}, "win32", "~/AppData/Local/doorkey"),
]


@pytest.mark.parametrize(("environ", "platform", "expected"), PLACES, ids=str)
def test_the_directory_is_where_the_platform_keeps_data(
    environ: Mapping[str, str], platform: str, expected: str
) -> None:
    assert data_directory(environ, platform) == expected


def test_a_home_without_doorkey_home_is_below_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOORKEY_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert home() == tmp_path / ".local/share/doorkey"


@pytest.mark.parametrize("named", ["", "~no-such-user/doorkey"])
def test_a_user_without_a_home_is_told_to_name_a_directory(
    run: Run, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory with the name `~` would be created where the command runs."""
    import pwd

    def unknown(_: int) -> None:
        raise KeyError

    for name in ("HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.chdir(tmp_path)
    result = run("login", "https://as.example", DOORKEY_HOME=named)
    assert result.exit_code == 5
    assert result.stderr == (
        "doorkey: there is no home directory to keep accounts in: name a directory in the variable DOORKEY_HOME\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_it_is_created_for_the_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    make_home(path)
    make_home(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
