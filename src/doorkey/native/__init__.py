"""Logins of command line tools and desktop apps: in a browser on this machine, on another device, or by pasting a URL.

    result = login("https://login.example", "my-tool", scope="openid offline_access")
    result.token, result.claims["sub"]

Each function is synchronous; the function with the prefix `a` is its asynchronous twin (RFC 8252, RFC 8628).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doorkey.native.any_method import alogin, login
    from doorkey.native.by_browser import alogin_in_browser, login_in_browser
    from doorkey.native.by_device import alogin_by_device, login_by_device
    from doorkey.native.by_pasting import alogin_by_pasting, login_by_pasting
    from doorkey.native.errors import CallbackTimeout, NoFreePort, NoLoginMethod, WrongPaste
    from doorkey.native.methods import MethodChoice, choose_method
    from doorkey.native.result import NativeLogin

__all__ = ["CallbackTimeout", "MethodChoice", "NativeLogin", "NoFreePort", "NoLoginMethod", "WrongPaste"]
__all__ += ["alogin", "alogin_by_device", "alogin_by_pasting", "alogin_in_browser", "choose_method"]
__all__ += ["login", "login_by_device", "login_by_pasting", "login_in_browser"]

_NAMES = {
    "any_method": ("alogin", "login"),
    "by_browser": ("alogin_in_browser", "login_in_browser"),
    "by_device": ("alogin_by_device", "login_by_device"),
    "by_pasting": ("alogin_by_pasting", "login_by_pasting"),
    "errors": ("CallbackTimeout", "NoFreePort", "NoLoginMethod", "WrongPaste"),
    "methods": ("MethodChoice", "choose_method"),
    "result": ("NativeLogin",),
}
_MODULES = {name: f"doorkey.native.{module}" for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    from doorkey.runtime.lazy import lazy_name

    return lazy_name(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
