"""`ResourceProtector` for Django: a decorator that sets `request.oauth_token`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, TypeVar, cast, overload

from asgiref.sync import sync_to_async
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse

from doorkey.errors import OAuthError
from doorkey.resource.framework_guard import Decorator
from doorkey.resource.on_django import is_asynchronous
from doorkey.resource.validators import bearer
from doorkey.resource.validators.bearer import Scopes
from doorkey.resource.validators.protector import ProtectedRequest, ProtectorCore
from doorkey.resource.validators.responses import protector_reply
from doorkey.values import clears_locals

View = TypeVar("View", bound=Callable[..., Any])

token_authenticated = Signal()
"""Sent with `token=` after a request was accepted."""


class ResourceProtector(ProtectorCore):
    """Protects Django views, as ``@require_oauth("profile")`` if `require_oauth` is the instance.

    Call `register_token_validator` to add the validator of tokens. A view reads the token from `request.oauth_token`.
    """

    def acquire_token(self, request: HttpRequest, scopes: Scopes = None, **claims: Any) -> Any:
        """Return the token of `request`.

        request: the request of Django.
        scopes: the required scopes, as text with spaces between them; or several such texts, of which one must match.
        claims: further arguments of the validator, for instance `groups`.

        Raises the errors of the validator. It creates no response.
        """
        return self._acquired(request, {"scopes": scopes, **claims}, optional=False)

    @overload
    def __call__(self, scopes: View, /) -> View: ...
    @overload
    def __call__(self, scopes: Scopes = None, optional: bool = False, **claims: Any) -> Decorator: ...
    def __call__(self, scopes: Scopes | Callable[..., Any] = None, optional: bool = False, **claims: Any) -> Any:
        """Return a decorator for a view, which may be asynchronous. ``@require_oauth`` without a call works too.

        scopes: as for `acquire_token`.
        optional: also call the view if the request has no token; `request.oauth_token` is then None.
        claims: further arguments of the validator, for instance `groups`.
        """
        if callable(scopes):
            return self._protected(scopes, {}, optional=optional)
        return partial(self._protected, requirements={"scopes": scopes, **claims}, optional=optional)

    def _protected(self, view: View, requirements: dict[str, Any], optional: bool) -> View:
        def rejection(request: HttpRequest) -> HttpResponse | None:
            try:
                cast("Any", request).oauth_token = self._acquired(request, requirements, optional)
            except OAuthError as error:
                return return_error_response(error)
            return None

        @wraps(view)
        def protected(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            return rejection(request) or view(request, *args, **kwargs)

        @wraps(view)
        async def aprotected(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            # A validator may block, and must use the database in the thread that Django reserves for this request.
            return await sync_to_async(rejection)(request) or await view(request, *args, **kwargs)

        return cast("View", aprotected if is_asynchronous(view) else protected)

    @clears_locals
    def _acquired(self, request: HttpRequest, requirements: dict[str, Any], optional: bool) -> Any:
        pairs = tuple(request.headers.items())
        query = str(request.META.get("QUERY_STRING", ""))
        received = ProtectedRequest(request.method or "", request.build_absolute_uri(), request.headers, pairs, query)
        token = self.accept(received, requirements, optional=optional)
        if token is not None:
            token_authenticated.send(sender=type(self), token=token)
        return token


class BearerTokenValidator(bearer.BearerTokenValidator):
    """Looks up tokens in a Django model, by its field `access_token`.

    token_model: the model. Its instances have `is_expired()`, `is_revoked()` and `get_scope()`.
    realm, extra_attributes: as for every validator.
    """

    def __init__(self, token_model: Any, realm: str | None = None, **extra_attributes: str) -> None:
        self.token_model = token_model
        super().__init__(realm, **extra_attributes)

    def authenticate_token(self, token_string: str) -> Any:
        """Return the model instance with this access token, or None.

        token_string: the access token of the request.
        """
        try:
            return self.token_model.objects.get(access_token=token_string)
        except self.token_model.DoesNotExist:
            return None


def return_error_response(error: OAuthError) -> HttpResponse:
    """Return the HTTP response for `error`, with its status, its challenge and a JSON body."""
    reply = protector_reply(error)
    return HttpResponse(reply.body, status=reply.status, headers=dict(reply.headers))
