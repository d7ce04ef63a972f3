"""The program in Django, whose sessions are in signed cookies."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

from tests.support.django_project import project
from tests.support.login_programs.programs import (
    NAME,
    SECRET,
    Program,
    aged,
    outcome,
    success,
)
from tests.support.web_sites import OnWSGI, Site

MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware", f"{__name__}.chooses_urls"]
URLS = f"{__name__}.urls"
"""The key of a WSGI environment with the URLs of the process: all processes of a test are one process of Django."""


def chooses_urls(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Answer a request by the URLs of the process that it was sent to."""

    def middleware(request: Any) -> Any:
        request.urlconf = request.environ[URLS]
        return get_response(request)

    return middleware


def _route(patterns: list[Any], kind: type[Exception], at: str) -> Callable[[Callable[[Any], Any]], None]:
    from django.http import JsonResponse
    from django.urls import path
    from django.views.decorators.csrf import csrf_exempt

    def add(view: Callable[[Any], Any]) -> None:
        def guarded(request: Any) -> Any:
            try:
                return view(request)
            except Exception as error:  # noqa: BLE001  # the program says which
                answer, status = outcome(error, kind)
                return JsonResponse(answer, status=status)

        patterns.append(path(at.removeprefix("/"), csrf_exempt(guarded)))

    return add


def urls(program: Program) -> tuple[Any, ...]:
    """Return the URLs of a process."""
    from django.http import JsonResponse

    module = program.module("django")

    def update_token(_: str, token: Any, refresh_token: str | None = None, access_token: str | None = None) -> None:
        program.updated(token, refresh_token)

    oauth = module.OAuth(cache=program.cache, update_token=update_token)
    client = oauth.register(NAME, **program.options)
    patterns: list[Any] = []

    route = partial(_route, patterns, module.OAuthError)

    @route("/login")
    def _(request: Any) -> Any:
        return client.authorize_redirect(request, program.callback, **request.GET.dict())

    @route("/callback")
    def _(request: Any) -> Any:
        token = client.authorize_access_token(request)
        request.session["user"] = program.keep(token)
        return JsonResponse(success(request.session["user"], token))

    @route("/api")
    def _(request: Any) -> Any:
        answer = client.get(program.api, token=program.tokens[request.session["user"]])
        return JsonResponse({"status": answer.status_code, "body": answer.json()})

    @route("/userinfo")
    def _(request: Any) -> Any:
        return JsonResponse(dict(client.userinfo(token=program.tokens[request.session["user"]])))

    @route("/logout")
    def _(request: Any) -> Any:
        return client.logout_redirect(request, post_logout_redirect_uri=program.logged_out, client_id=client.client_id)

    @route("/logged-out")
    def _(request: Any) -> Any:
        return JsonResponse(dict(client.validate_logout_response(request) or {}))

    @route("/age")
    def _(request: Any) -> Any:
        aged(request.session, float(request.GET["seconds"]))
        return JsonResponse({})

    return tuple(patterns)


def settings() -> AbstractContextManager[None]:
    """Return the settings that all processes of a test have in common, as a context manager."""
    return project(
        MIDDLEWARE=MIDDLEWARE,
        ROOT_URLCONF=(),
        SECRET_KEY=SECRET,
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        SESSION_SERIALIZER="django.contrib.sessions.serializers.JSONSerializer",
        SESSION_COOKIE_SECURE=True,
    )


def application(program: Program) -> Callable[..., Any]:
    """Return the WSGI application; `settings()` are in effect."""
    from django.core.handlers.wsgi import WSGIHandler

    handler, patterns = WSGIHandler(), urls(program)

    def answer(environ: dict[str, Any], start_response: Any) -> Any:
        return handler({**environ, URLS: patterns}, start_response)

    return answer


def site(program: Program) -> Site:
    """Return a new process of the program; `settings()` are in effect."""
    from django.test import override_settings

    own: dict[str, Any] = {}
    if program.secret != SECRET:
        own["SECRET_KEY"] = program.secret
    if program.same_site != "Lax":
        own["SESSION_COOKIE_SAMESITE"] = program.same_site
    # Settings are those of the whole process: requests to a process with settings of its own come one at a time.
    around = partial(override_settings, **own) if own else nullcontext
    return OnWSGI(application(program), around)
