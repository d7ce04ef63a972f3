"""Logins of command line tools and desktop apps (RFC 8252): in a browser on this machine, by a code on another device
(RFC 8628), or by pasting a URL.

result = login_in_browser("https://login.example", "my-tool", scope="openid offline_access")
result.token, result.claims["sub"]

Each function blocks; the same name with an `a` in front is its twin for code that awaits.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doorkey.native.by_browser import alogin_in_browser, login_in_browser
    from doorkey.native.by_device import alogin_by_device, login_by_device
    from doorkey.native.errors import CallbackTimeout, NoFreePort
    from doorkey.native.result import NativeLogin

__all__ = [
    "CallbackTimeout",
    "NativeLogin",
    "NoFreePort",
    "alogin_by_device",
    "alogin_in_browser",
    "login_by_device",
    "login_in_browser",
]

_MODULES = {
    **dict.fromkeys(("alogin_in_browser", "login_in_browser"), "doorkey.native.by_browser"),
    **dict.fromkeys(("alogin_by_device", "login_by_device"), "doorkey.native.by_device"),
    **dict.fromkeys(("CallbackTimeout", "NoFreePort"), "doorkey.native.errors"),
    "NativeLogin": "doorkey.native.result",
}


def __getattr__(name: str) -> Any:
    from doorkey.runtime.lazy import named

    return named(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
