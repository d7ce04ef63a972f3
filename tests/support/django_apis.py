"""Applications of Django whose URLs and middleware are those of one test."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tests.support.django_project import project
from tests.support.framework_requests import Answer, Call, asgi, wsgi

installed: list[Callable[..., Any]] = []
"""The middleware of the application that is being made: Django imports it by its path."""


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
    carry = asgi if awaiting else wsgi

    def api(call: Call) -> Answer:
        with project(**settings):
            return carry(app, call)

    return api
