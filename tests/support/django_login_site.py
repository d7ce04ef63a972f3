"""The application of the contract suite on Django: the same pages as on the other frameworks, with a login."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from doorkey.login import Login
from tests.support.django_login_project import MIDDLEWARE, copied, migrated, site
from tests.support.web_sites import OnWSGI, Site


def on_django(**settings: Any) -> OnWSGI:
    """Return a Django project, called through its WSGI handler.

    settings: those that differ from the settings of another project in this process, which was made later.
    """
    from django.core.handlers.wsgi import WSGIHandler

    def around() -> AbstractContextManager[object]:
        from django.conf import settings as current
        from django.test import override_settings

        own = {name: value for name, value in settings.items() if getattr(current, name) is not value}
        return override_settings(**own) if own else nullcontext()

    return OnWSGI(WSGIHandler(), around)


_OPEN: list[Path] = []


@cache
def _template() -> Path:
    return migrated(Path(tempfile.mkdtemp()))


def _views(api: str) -> list[Any]:
    from django.http import HttpRequest, JsonResponse
    from django.urls import include, path
    from django.views.decorators.csrf import csrf_exempt

    from doorkey.login.django import login_required, login_user

    @login_required
    def home(request: HttpRequest) -> JsonResponse:
        user = login_user(request)
        assert user is not None
        return JsonResponse({"sub": user.sub, "name": user.name, "csrf": user.csrf_token})

    @csrf_exempt
    @login_required
    async def orders(request: HttpRequest) -> JsonResponse:
        user: Any = await request.auser()
        return JsonResponse({"sub": user.claims.sub})

    def public(request: HttpRequest) -> JsonResponse:
        user: Any = request.user
        return JsonResponse({"sub": user.claims.sub if user.is_authenticated else None})

    @login_required
    def call_api(request: HttpRequest) -> JsonResponse:
        user: Any = request.user
        return JsonResponse(user.client.get(api).json())

    return [
        path("", home),
        path("orders", orders),
        path("open", public),
        path("api", call_api),
        path("auth/", include("doorkey.login.django.urls")),
    ]


@contextmanager
def _database() -> Generator[Path]:
    """A new database; for a further project in this process, that of the first one: it stands for another worker."""
    if _OPEN:
        yield _OPEN[0]
        return
    with tempfile.TemporaryDirectory() as folder:
        _OPEN.append(copied(_template(), Path(folder)))
        try:
            yield _OPEN[0]
        finally:
            _OPEN.clear()


def django_site(login: Login, api: str) -> Any:
    """The application of the suite."""
    return django_project(login, lambda: _views(api))


@contextmanager
def django_project(login: Login, views: Callable[[], list[Any]]) -> Generator[Site]:
    """A project with a login and these URL patterns.

    The cookie of Django's session has the name that the suite expects of the login's.
    """
    secure = (login.site.base_url or "").startswith("https:")
    with _database() as path:
        settings = {
            "DOORKEY_LOGIN": login,
            "AUTHENTICATION_BACKENDS": ["doorkey.login.django.LoginBackend"],
            "MIDDLEWARE": [*MIDDLEWARE, "doorkey.login.django.LoginMiddleware"],
            "SESSION_COOKIE_NAME": "__Host-doorkey" if secure else "doorkey",
            "SESSION_COOKIE_SECURE": secure,
            "SESSION_COOKIE_AGE": 43_200,
            "CSRF_USE_SESSIONS": True,  # a cookie that scripts can read is none of the login
            "SECURE_PROXY_SSL_HEADER": None,
        }
        with site(path, **settings):
            from django.test import override_settings

            urls: Any = ModuleType("urls_of_the_suite")
            urls.urlpatterns = views()
            with override_settings(ROOT_URLCONF=urls):
                yield on_django(DOORKEY_LOGIN=login, ROOT_URLCONF=urls)
