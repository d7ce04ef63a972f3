"""Logins: send a user's browser to a provider, verify the response, and identify the user.

client = LoginClient("my-app", "my-secret", issuer="https://…", redirect_uri="https://app.example/callback")
begun = client.begin(next="/orders"); result = client.finish(request.url, begun.pending); result.iss, result.sub
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doorkey.login.client import AsyncLoginClient, LoginClient
    from doorkey.login.errors import LoginError
    from doorkey.login.next_url import checked_next
    from doorkey.login.pending import Begun, PendingLogin
    from doorkey.login.result import LoginResult
    from doorkey.login.web.api_proxy import ApiProxy
    from doorkey.login.web.login import Login
    from doorkey.login.web.providers import LoginProvider
    from doorkey.login.web.user import User

__all__ = [
    "ApiProxy",
    "AsyncLoginClient",
    "Begun",
    "Login",
    "LoginClient",
    "LoginError",
    "LoginProvider",
    "LoginResult",
    "PendingLogin",
    "User",
    "checked_next",
]

_MODULES = {
    "ApiProxy": "doorkey.login.web.api_proxy",
    "AsyncLoginClient": "doorkey.login.client",
    "Begun": "doorkey.login.pending",
    "Login": "doorkey.login.web.login",
    "LoginClient": "doorkey.login.client",
    "LoginError": "doorkey.login.errors",
    "LoginProvider": "doorkey.login.web.providers",
    "LoginResult": "doorkey.login.result",
    "PendingLogin": "doorkey.login.pending",
    "User": "doorkey.login.web.user",
    "checked_next": "doorkey.login.next_url",
}


def __getattr__(name: str) -> Any:
    from doorkey.runtime.lazy import lazy_name

    return lazy_name(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
