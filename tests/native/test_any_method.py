"""`login` takes the method that fits the machine and the provider, unless the caller names one."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import Any

import pytest

from doorkey import DeviceAuthorization, Issuer
from doorkey.errors import UsageError
from doorkey.native import MethodChoice, NativeLogin, NoLoginMethod
from tests.native.conftest import CLIENT, Browser, Native
from tests.native.test_by_pasting import Terminal, User

SSH = {"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22"}
DESKTOP = {"DISPLAY": ":0"}


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that says nothing about the machine."""
    names = "BROWSER CI CODESPACES DISPLAY KUBERNETES_SERVICE_HOST SSH_CLIENT SSH_CONNECTION SSH_TTY WAYLAND_DISPLAY"
    for name in (*names.split(), "WSL_DISTRO_NAME", "container", "VSCODE_IPC_HOOK_CLI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("doorkey.native.any_method._CONTAINER_FILES", ())
    return monkeypatch


class Calls:
    """The callables of a login: the browser, the page of the device, and the user who pastes."""

    def __init__(self, login: Native) -> None:
        self.login, self.browser = login, Browser(login.provider)
        self.user = User(login.provider, "CALLBACK")
        self.chosen: list[MethodChoice] = []

    def device(self, device: DeviceAuthorization) -> None:
        self.login.provider.approve_device(device.user_code, "alice")

    def __call__(self, issuer: Any = None, **options: Any) -> NativeLogin:
        async def pause(_: float) -> None:
            """Take no time."""

        given: dict[str, Any] = {
            "show_choice": self.chosen.append,
            "show_device": self.device,
            "sleep": float if self.login.world == "blocking" else pause,
            "open_browser": self.browser,
            "show": str,
            **options,
        }
        return self.login.call("login", issuer or self.login.provider.issuer, CLIENT, **given)


def without_device_flow(login: Native) -> Issuer:
    """The provider, as if its metadata named no device authorization endpoint."""
    with Issuer(login.provider.issuer) as issuer:
        metadata = issuer.metadata()
    return Issuer(login.provider.issuer, metadata=replace(metadata, device_authorization_endpoint=None))


def test_a_desktop_opens_the_browser(login: Native, environ: pytest.MonkeyPatch) -> None:
    environ.setenv("DISPLAY", ":0")
    calls = Calls(login)
    result = calls()
    assert (result.method, [choice.method for choice in calls.chosen]) == ("browser", ["browser"])
    assert result.claims


def test_an_ssh_session_shows_a_device_code(login: Native, environ: pytest.MonkeyPatch) -> None:
    environ.setenv("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22")
    calls = Calls(login)
    result = calls()
    assert result.method == "device"
    assert result.claims
    assert "SSH session" in calls.chosen[0].reason


def test_an_ssh_session_pastes_where_the_provider_has_no_device_flow(
    login: Native, environ: pytest.MonkeyPatch
) -> None:
    environ.setenv("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22")
    terminal = Terminal()
    terminal.connect(environ)
    calls = Calls(login)
    result = calls(without_device_flow(login), show=calls.user.show, read=calls.user.read)
    terminal.close()
    assert result.method == "paste"
    assert "no device flow" in calls.chosen[0].reason


def test_without_a_terminal_the_error_says_what_is_missing(login: Native, environ: pytest.MonkeyPatch) -> None:
    with open(os.devnull, encoding="utf-8") as null:  # noqa: PTH123  # it is no path of a file
        environ.setattr(sys, "stdin", null)
        with pytest.raises(NoLoginMethod, match="no terminal to paste a URL into"):
            Calls(login)(without_device_flow(login), open_browser=None)


@pytest.mark.parametrize(("method", "machine"), [("browser", SSH), ("device", DESKTOP), ("paste", DESKTOP)])
def test_the_method_of_the_caller_wins(
    login: Native, environ: pytest.MonkeyPatch, method: str, machine: dict[str, str]
) -> None:
    for name, value in machine.items():
        environ.setenv(name, value)
    calls = Calls(login)
    shown = {"show": calls.user.show, "read": calls.user.read} if method == "paste" else {}
    assert calls(method=method, **shown).method == method
    assert calls.chosen == []


def test_a_pasted_url_has_the_first_port_of_the_list(login: Native) -> None:
    calls = Calls(login)
    calls(method="paste", ports=[18000, 18001], show=calls.user.show, read=calls.user.read)
    assert calls.user.callback.startswith("http://127.0.0.1:18000/callback?")


@pytest.mark.parametrize("wrong", [{"method": "carrier pigeon"}, {"ports": []}, {"method": "device", "show_device": 5}])
def test_wrong_arguments_are_a_usage_error(login: Native, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Calls(login)(**wrong)
