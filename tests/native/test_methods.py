"""The choice of a method: browser, else device, else paste, and the reason in words."""

from __future__ import annotations

from typing import Any

import pytest

from doorkey.native import MethodChoice, NoLoginMethod, choose_method
from doorkey.native.result import Method

DESKTOP = {"DISPLAY": ":0"}
SSH = {**DESKTOP, "SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22"}
VSCODE = {"SSH_CONNECTION": "x", "VSCODE_IPC_HOOK_CLI": "/tmp/x.sock", "BROWSER": "/helpers/browser.sh"}  # noqa: S108


def choose(environ: dict[str, str], **known: Any) -> MethodChoice:
    known.setdefault("platform", "linux")
    return choose_method(environ, **known)


@pytest.mark.parametrize(
    ("environ", "known"),
    [
        (DESKTOP, {}),
        ({"WAYLAND_DISPLAY": "wayland-0"}, {}),
        ({}, {"platform": "darwin"}),
        ({}, {"platform": "win32"}),
        ({"WSL_DISTRO_NAME": "Debian"}, {}),
        (VSCODE, {}),
        (VSCODE, {"in_container": True}),
        ({**DESKTOP, "container": "flatpak"}, {}),
        ({**DESKTOP, "CI": "true"}, {}),
        ({**DESKTOP, "CI": "false"}, {"has_terminal": False}),
    ],
)
def test_a_machine_with_a_browser_uses_it(environ: dict[str, str], known: dict[str, Any]) -> None:
    assert choose(environ, **known, has_device_endpoint=True) == MethodChoice("browser", "This machine has a browser.")


@pytest.mark.parametrize(
    ("environ", "known", "reason"),
    [
        ({}, {}, "This machine has no display."),
        (SSH, {}, "This is an SSH session, and the browser is on another machine."),
        ({"SSH_TTY": "/dev/pts/0"}, {"platform": "darwin"}, "This is an SSH session"),
        (DESKTOP, {"in_container": True}, "This is a container"),
        ({**DESKTOP, "container": "podman"}, {}, "This is a container"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, {}, "This is a container"),
        ({**DESKTOP, "CODESPACES": "true"}, {}, "This is a codespace"),
        (DESKTOP, {"has_browser": False}, "No browser was found"),
        ({"WSL_DISTRO_NAME": "Debian"}, {"has_browser": False}, "No browser was found"),
        (DESKTOP, {"has_authorization_endpoint": False}, "The provider has no login in the browser."),
    ],
)
def test_another_machine_uses_the_device_flow_and_else_pastes(
    environ: dict[str, str], known: dict[str, Any], reason: str
) -> None:
    device = choose(environ, **known, has_device_endpoint=True)
    assert device.method == "device"
    assert device.reason.startswith(reason)
    if known.get("has_authorization_endpoint", True):
        pasted = choose(environ, **known)
        assert pasted.method == "paste"
        assert pasted.reason.startswith(reason)


@pytest.mark.parametrize(
    ("environ", "known", "reason"),
    [
        ({"CI": "true", **DESKTOP}, {"has_terminal": False, "has_device_endpoint": True}, "CI system"),
        ({}, {"has_terminal": False}, "no terminal to paste a URL into"),
        (DESKTOP, {"has_authorization_endpoint": False}, "neither an authorization endpoint nor a device"),
    ],
)
def test_where_no_user_can_log_in_the_error_says_why(
    environ: dict[str, str], known: dict[str, Any], reason: str
) -> None:
    with pytest.raises(NoLoginMethod, match=reason):
        choose(environ, **known)


def test_the_methods_are_those_of_a_result() -> None:
    chosen: list[Method] = ["browser", "device", "paste"]
    assert [choose(DESKTOP).method, choose({}, has_device_endpoint=True).method, choose({}).method] == chosen
