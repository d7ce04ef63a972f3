"""`LoginMiddleware`: a login that has ended, here or at the provider, ends Django's session too."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from asgiref.sync import sync_to_async
from django.contrib import auth
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin
from django.utils.functional import SimpleLazyObject

from doorkey.errors import InvalidGrant, MissingTokenError, StoreError, TokenExpiredError
from doorkey.login.django.apps import project_login
from doorkey.login.django.messages import SESSION, django_reply, web_request
from doorkey.login.web.messages import WebReply
from doorkey.login.web.user import User, UserClaims
from doorkey.resource.on_django import is_asynchronous

__all__ = ["LoginMiddleware", "login_required", "login_user"]

if TYPE_CHECKING:
    _Lazy = SimpleLazyObject[Any]
else:
    _Lazy = SimpleLazyObject

V = TypeVar("V", bound=Callable[..., Any])

LOG_IN_AGAIN: Final = (InvalidGrant, MissingTokenError, TokenExpiredError)
_LOADED: Final = "_doorkey_user"
_FAILED: Final = "_doorkey_failed"


class LoginMiddleware(MiddlewareMixin):
    """Checks that the login of each request's user has not ended. Put it after Django's `AuthenticationMiddleware`.

    The check is one read of the store, when `request.user` is first used. `request.user` has two more attributes,
    unless the model has them: `client`, an HTTP client that sends the user's valid token, and `claims`.

    get_response: the next middleware, or the view.
    """

    def process_request(self, request: HttpRequest) -> None:
        """Replace `request.user` with a lazy user that makes the check.

        request: the request.

        Raises `ImproperlyConfigured` for a wrong order of the middleware.
        """
        if not hasattr(request, "user") or not hasattr(request, "session"):
            raise ImproperlyConfigured("put LoginMiddleware after AuthenticationMiddleware in the setting MIDDLEWARE")
        of_session: Any = request.user
        user: Any = _RequestUser(request, partial(_checked, request, of_session))
        request.user = user

        async def auser() -> Any:
            await sync_to_async(loaded)(user)
            return user

        cast("Any", request).auser = auser

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the response for a token that can no longer be renewed, or for a failed store; otherwise None.

        A user without a renewable token is logged out, and must log in again.

        request: the request.
        exception: the exception of the view.
        """
        login = project_login().login
        user: User | None = getattr(request, _LOADED, None)
        if isinstance(exception, LOG_IN_AGAIN) and user is not None and user.uses_token:
            routes = login.blocking
            reply: WebReply = routes.backend.do(routes.end_and_deny(web_request(request, login.site)))
            auth.logout(request)
            return django_reply(reply, login.site).response
        if isinstance(exception, StoreError) and getattr(request, _FAILED, None) is exception:
            failed = login.blocking.failed(exception, web_request(request, login.site))
            return django_reply(failed, login.site).response
        return None


class _RequestUser(_Lazy):
    """The user of a request, with the `client` and the `claims` of the login."""

    def __init__(self, request: HttpRequest, load: Callable[[], Any]) -> None:
        self.__dict__["_request"] = request
        super().__init__(load)

    @property
    def client(self) -> Any:
        """An HTTP client that sends the user's access token, or the model's own `client`; None without a login."""
        return self._of_login("client")

    @property
    def claims(self) -> UserClaims | None:
        """The claims about the user, or the model's own `claims`; None without a login."""
        found: UserClaims | None = self._of_login("claims")
        return found

    def _of_login(self, name: str) -> Any:
        user = self._checked_user()
        if hasattr(cast("type[object]", type(user)), name) or name in vars(user):
            return getattr(user, name)
        found = _login_of(self.__dict__["_request"]) if user.is_authenticated else None
        return None if found is None else getattr(found, name)

    def _checked_user(self) -> Any:
        loaded(self)
        return self.__dict__["_wrapped"]


def loaded(lazy: Any) -> Any:
    """Return the lazy user of a request after it has been loaded."""
    bool(lazy.pk)
    return lazy


def login_user(request: HttpRequest) -> User | None:
    """Return the login of a request's user, with `claims`, `client`, `iss` and `sub`.

    Return None without a login, and for a user who is no longer active.

    request: the request.

    Raises `StoreError` if the store fails.
    """
    found = _login_of(request)
    return found if found is not None and cast("Any", request).user.is_authenticated else None


def _login_of(request: HttpRequest) -> User | None:
    """Return the login of Django's session, even if its user is no longer active."""
    if not hasattr(request, _LOADED):
        identifier = request.session.get(SESSION)
        try:
            found = project_login().user_of(identifier) if isinstance(identifier, str) else None
        except StoreError as error:
            setattr(request, _FAILED, error)
            raise
        setattr(request, _LOADED, found)
    user: User | None = getattr(request, _LOADED)
    return user


def login_required(view: V) -> V:
    """Decorate a synchronous or asynchronous view, so that it is called only for logged-in users.

    A request for a page is redirected to the login. Any other request gets a 401 with a challenge, as JSON.

    view: the view.
    """

    def denied(request: HttpRequest) -> HttpResponse | None:
        if cast("Any", request).user.is_authenticated:
            return None
        login = project_login().login
        return django_reply(login.blocking.denied(web_request(request, login.site)), login.site).response

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return denied(request) or view(request, *args, **kwargs)

    @wraps(view)
    async def guarded_async(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return await sync_to_async(denied)(request) or await view(request, *args, **kwargs)

    return cast("V", guarded_async if is_asynchronous(view) else guarded)


def _checked(request: HttpRequest, of_session: Any) -> Any:
    """Return the user of Django's session, or an anonymous user if the login has ended."""
    if SESSION in request.session and _login_of(request) is None:
        cast("Any", request).user = of_session  # logout() reads it, and must not call this function again
        auth.logout(request)
        return AnonymousUser()
    return getattr(loaded(of_session), "_wrapped", of_session)
