"""Logins in a Django project: an application with a backend, middleware, routes and two tables.

    INSTALLED_APPS = [..., "doorkey.login.django"]
    MIDDLEWARE = [..., "doorkey.login.django.LoginMiddleware"]  # after AuthenticationMiddleware
    AUTHENTICATION_BACKENDS = ["doorkey.login.django.LoginBackend"]
    LOGIN_URL = "doorkey_login:login"
    urlpatterns = [path("auth/", include("doorkey.login.django.urls")), ...]

`request.user`, Django's `login_required` and the admin work as usual. The setting `DOORKEY_LOGIN` has the options.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doorkey.login.django.api_proxy import api_proxy
    from doorkey.login.django.backend import LoginBackend
    from doorkey.login.django.middleware import LoginMiddleware, login_required, login_user
    from doorkey.login.django.store import DjangoStore

__all__ = ["DjangoStore", "LoginBackend", "LoginMiddleware", "api_proxy", "login_required", "login_user"]

_MODULES = {
    "api_proxy": "doorkey.login.django.api_proxy",
    "DjangoStore": "doorkey.login.django.store",
    "LoginBackend": "doorkey.login.django.backend",
    **dict.fromkeys(("LoginMiddleware", "login_required", "login_user"), "doorkey.login.django.middleware"),
}


def __getattr__(name: str) -> Any:
    from doorkey.runtime.lazy import lazy_name

    return lazy_name(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
