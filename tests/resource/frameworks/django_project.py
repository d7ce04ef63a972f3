"""Django without a project on disk: its settings and its URLs are those of one test."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any

from tests.resource.frameworks import wire
from tests.resource.frameworks.wire import Answer, Call

installed: list[Callable[..., Any]] = []
"""The middleware of the application that is being made: Django imports it by its path."""


@contextmanager
def project(**settings: Any) -> Generator[None]:
    """Django with these settings, configured once for the process."""
    import django
    from django.conf import settings as configured
    from django.test import override_settings

    if not configured.configured:
        configured.configure(
            ALLOWED_HOSTS=["*"],
            SECRET_KEY="of no use",
            USE_TZ=True,
            DATABASES={},
            INSTALLED_APPS=[],
            REST_FRAMEWORK={
                "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
                "DEFAULT_AUTHENTICATION_CLASSES": [],
                "UNAUTHENTICATED_USER": None,
            },
        )
        django.setup()
    with override_settings(**settings):
        yield


def first(get_response: Any) -> Any:
    """Make the middleware that a test has put there."""
    return installed[0](get_response)


def django_api(
    patterns: Iterable[Any], *, middleware: Iterable[Callable[..., Any]] = (), awaiting: bool = False
) -> Callable[[Call], Answer]:
    """The API of these URL patterns behind the middleware, on WSGI or ASGI."""
    installed[:] = middleware
    names = [f"{__name__}.first"] if installed else []
    if installed:
        for capable in ("sync_capable", "async_capable"):
            setattr(first, capable, getattr(installed[0], capable))
    settings = {"ROOT_URLCONF": tuple(patterns), "MIDDLEWARE": names}
    with project(**settings):
        from django.core.handlers.asgi import ASGIHandler
        from django.core.handlers.wsgi import WSGIHandler

        app: Any = ASGIHandler() if awaiting else WSGIHandler()
    carry = wire.asgi if awaiting else wire.wsgi

    def api(call: Call) -> Answer:
        with project(**settings):
            return carry(app, call)

    return api
