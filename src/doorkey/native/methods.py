"""Choose the login method for a machine and a provider, as a pure function of the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from doorkey.native.errors import NoLoginMethod

if TYPE_CHECKING:
    from doorkey.native.result import Method

_WITH_WINDOWS: Final = ("darwin", "win32", "cygwin")
_DESKTOP_SANDBOXES: Final = ("flatpak", "snap")


@dataclass(frozen=True, slots=True)
class MethodChoice:
    """The chosen login method.

    method: "browser", "device" or "paste".
    reason: the reason for it, as a sentence.
    """

    method: Method
    reason: str


def choose_method(
    environ: Mapping[str, str],
    *,
    platform: str,
    has_browser: bool = True,
    has_terminal: bool = True,
    in_container: bool = False,
    has_authorization_endpoint: bool = True,
    has_device_endpoint: bool = False,
) -> MethodChoice:
    """Return the method to log a user in: in the browser, else by device code, else by pasting a URL.

    environ: the environment variables.
    platform: `sys.platform`.
    has_browser: whether a browser with windows is installed.
    has_terminal: whether the user can type an answer.
    in_container: whether the program runs in a container, which has its own ports.
    has_authorization_endpoint, has_device_endpoint: whether the provider has these endpoints.

    Raises `NoLoginMethod` with the reason if no method is possible.
    """
    if environ.get("CI") not in (None, "", "0", "false") and not has_terminal:
        raise NoLoginMethod("This is a job of a CI system, where no user can log in.")
    obstacle = _why_no_browser(environ, platform, has_browser=has_browser, in_container=in_container)
    if has_authorization_endpoint and not obstacle:
        return MethodChoice("browser", "This machine has a browser.")
    cause = obstacle if has_authorization_endpoint else "The provider has no login in the browser."
    if has_device_endpoint:
        return MethodChoice("device", f"{cause} The provider supports logins on another device.")
    if not has_authorization_endpoint:
        raise NoLoginMethod("The provider has neither an authorization endpoint nor a device authorization endpoint.")
    if not has_terminal:
        raise NoLoginMethod(f"{cause} The provider has no device flow, and there is no terminal to paste a URL into.")
    return MethodChoice("paste", f"{cause} The provider has no device flow.")


def _why_no_browser(environ: Mapping[str, str], platform: str, *, has_browser: bool, in_container: bool) -> str:
    """Return why the browser cannot return to a port of this machine, as a sentence; "" if it can."""
    if environ.get("CODESPACES") == "true":
        return "This is a codespace, and the browser cannot reach its ports."
    # A terminal of VS Code for a remote machine: the editor opens the browser on its own machine, and forwards ports.
    if "VSCODE_IPC_HOOK_CLI" in environ and environ.get("BROWSER"):
        return ""
    if in_container or "KUBERNETES_SERVICE_HOST" in environ or _names_container(environ):
        return "This is a container, and the browser cannot reach its ports."
    if any(environ.get(name) for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT")):
        return "This is an SSH session, and the browser is on another machine."
    if not has_browser:
        return "No browser was found on this machine."
    is_wsl = bool(environ.get("WSL_DISTRO_NAME"))
    has_display = any(environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    if platform in _WITH_WINDOWS or is_wsl or has_display:
        return ""
    return "This machine has no display."


def _names_container(environ: Mapping[str, str]) -> bool:
    return bool(environ.get("container")) and environ["container"] not in _DESKTOP_SANDBOXES
