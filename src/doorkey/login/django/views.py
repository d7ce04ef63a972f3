"""The view of all routes. It converts requests and replies, and calls Django's own login and logout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from doorkey.errors import OAuthError
from doorkey.login.django.apps import project_login
from doorkey.login.django.errors import NoAccount
from doorkey.login.django.messages import SESSION, django_reply, web_request
from doorkey.login.django.middleware import loaded
from doorkey.login.django.project import ProjectLogin
from doorkey.login.web.messages import WebReply
from doorkey.login.web.replies import error_reply
from doorkey.login.web.site import LOGIN, LOGOUT, ME

V = TypeVar("V", bound=Callable[..., Any])

_FIELD: Final = "csrfmiddlewaretoken"


def open_to_all(view: V) -> V:
    """Exempt a view from `LoginRequiredMiddleware`, as Django's decorator `login_not_required` does from 5.1 on."""
    vars(view)["login_required"] = False
    return view


@open_to_all
@csrf_exempt  # the provider may post the callback, and a logout has the login's or Django's token
def respond(request: HttpRequest, route: str) -> HttpResponse:
    """Return the response to a request to `route`, the path below the prefix, such as ``callback/google``."""
    project = project_login()
    begins = route.partition("/")[0] == LOGIN
    # Before an ended session is removed, because its frame may have requested this login
    converted = web_request(request, project.login.site) if begins else None
    if SESSION in request.session:
        loaded(request.user)  # before the session is removed, because Django's logout signal contains the user
    if route == LOGOUT and request.method == "POST" and _has_token_of_django(request):
        return csrf_protect(_logout)(request)
    if converted is None:
        of_user = route != ME or bool(request.user.is_authenticated)
        converted = web_request(request, project.login.site, of_user=of_user)
    return _answered(request, project, project.login.respond(route, converted))


def _logout(request: HttpRequest) -> HttpResponse:
    """Log out a user after Django has checked the CSRF token of the request."""
    project = project_login()
    user = _user_of(request, project)
    form = () if user is None else (("csrf_token", user.csrf_token),)
    reply = project.login.respond(LOGOUT, web_request(request, project.login.site, form))
    return _answered(request, project, reply, is_checked=True)


def _has_token_of_django(request: HttpRequest) -> bool:
    return _FIELD in request.POST or settings.CSRF_HEADER_NAME in request.META


def _answered(
    request: HttpRequest, project: ProjectLogin, reply: WebReply, *, is_checked: bool = False
) -> HttpResponse:
    """Apply a reply to Django's session, and return the response."""
    response, identifier = django_reply(reply, project.login.site)
    if identifier:
        try:
            _log_in(request, project, identifier)
        except OAuthError as error:
            retry = project.login.site.path(web_request(request, project.login.site), LOGIN)
            converted = web_request(request, project.login.site)
            failed = error_reply(error, converted, retry_path=retry, site=project.login.site.name)
            refusal = django_reply(failed, project.login.site).response
            refusal.cookies.update(response.cookies)  # these remove the cookie of the finished login
            return refusal
    elif is_checked or (identifier == "" and SESSION in request.session):
        auth.logout(request)
    return response


def _log_in(request: HttpRequest, project: ProjectLogin, identifier: str) -> None:
    """Log the user of a finished login in to the project, with a new session ID. Raises `NoAccount`."""
    user: Any = auth.authenticate(request, login_user=project.user_of(identifier))
    if user is None:
        project.end(identifier)
        raise NoAccount
    if auth.SESSION_KEY in request.session:
        request.session.cycle_key()  # login() does not do this if the same user logs in again
    auth.login(request, user)
    request.session[SESSION] = identifier


def _user_of(request: HttpRequest, project: ProjectLogin) -> Any:
    identifier = request.session.get(SESSION)
    return project.user_of(identifier) if isinstance(identifier, str) else None
