"""The user's browser: found as Python finds it, opened without its output, and none where it would use the terminal."""

from __future__ import annotations

import os
import threading
import webbrowser
from pathlib import Path

import pytest

from doorkey.native.browsers import graphical_browser, open_quietly
from tests.native.conftest import Browser, Native


def install(folder: Path, name: str, script: str) -> Path:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    program.chmod(0o755)
    return program


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment whose programs are in one folder, and in which Python has not looked for browsers yet."""
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(webbrowser, "_tryorder", None)
    monkeypatch.setattr(webbrowser, "_browsers", {})
    return monkeypatch


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "opened"
    os.mkfifo(path)
    return path


def test_a_login_opens_the_browser_of_the_environment_without_its_output(
    login: Native,
    browser: Browser,
    environ: pytest.MonkeyPatch,
    tmp_path: Path,
    pipe: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    program = install(tmp_path, "my-browser", f'echo noise; echo noise >&2; cat; printf %s "$1" > {pipe}')
    environ.setenv("BROWSER", str(program))
    user = threading.Thread(target=lambda: browser(pipe.read_text()))
    user.start()
    assert login.call("login_in_browser", login.provider.issuer, "my-tool", show=str).claims
    user.join(60)
    assert capfd.readouterr() == ("", "")


def test_a_browser_of_the_terminal_counts_as_none(environ: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environ.setenv("BROWSER", str(install(tmp_path, "w3m", "exit 1")))
    assert graphical_browser() is None
    assert open_quietly("http://127.0.0.1/") is False


def test_a_machine_without_a_browser_has_none(environ: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environ.setenv("PATH", str(tmp_path))
    assert graphical_browser() is None


def test_wsl_opens_the_browser_of_windows(environ: pytest.MonkeyPatch, tmp_path: Path, pipe: Path) -> None:
    environ.setenv("WSL_DISTRO_NAME", "Debian")
    install(tmp_path, "wslview", f'printf %s "$1" > {pipe}')
    opened: list[str] = []
    user = threading.Thread(target=lambda: opened.append(pipe.read_text()))
    user.start()
    assert open_quietly("http://127.0.0.1/a?b=c&d=e f")
    user.join(60)
    assert opened == ["http://127.0.0.1/a?b=c&d=e%20f"]


def test_a_url_has_nothing_that_a_script_could_act_upon(environ: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`wslview` gives the URL to PowerShell, and Python gives it to AppleScript."""
    written = tmp_path / "url"
    program = install(tmp_path, "wslview", f'printf %s "$1" > {written}')
    environ.setenv("BROWSER", str(program))
    place, query = (
        "https://as.example:8443/a;v=1/$(calc)/'x'`id`\"|<>^{}!*",
        "state=a-b_c.d~e&scope=openid+email&x=%20#f",
    )
    assert open_quietly(f"{place}?{query}")
    opened = written.read_text()
    assert opened == f"https://as.example:8443/a;v=1/%24%28calc%29/%27x%27%60id%60%22%7C%3C%3E%5E%7B%7D%21%2A?{query}"
