"""`ResourceProtector` of Django: a decorator that puts the token into `request.oauth_token`."""

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
"""Sent with `token=` when a request has been accepted."""


class ResourceProtector(ProtectorCore):
    """Protects views of Django: ``@require_oauth("profile")``, for an instance that is called `require_oauth`.

    `register_token_validator` adds the validator that decides. A view finds the token in `request.oauth_token`.
    """

    def acquire_token(self, request: HttpRequest, scopes: Scopes = None, **claims: Any) -> Any:
        """Return the token of `request`.

        scopes: one text, or alternatives; each text is one or more scopes with spaces between them.
        claims: further arguments of the validator, for instance `groups`.

        Raises the errors of the validator, and makes no response.
        """
        return self._acquired(request, {"scopes": scopes, **claims}, optional=False)

    @overload
    def __call__(self, scopes: View, /) -> View: ...
    @overload
    def __call__(self, scopes: Scopes = None, optional: bool = False, **claims: Any) -> Decorator: ...
    def __call__(self, scopes: Scopes | Callable[..., Any] = None, optional: bool = False, **claims: Any) -> Any:
        """Return the decorator of a view, also an asynchronous one; ``@require_oauth`` without a call is one too.

        scopes: as for `acquire_token`.
        optional: run the view without a token too; `request.oauth_token` is then None.
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
            # A validator may block, and use the database in the thread that Django reserves for this request.
            return await sync_to_async(rejection)(request) or await view(request, *args, **kwargs)

        return cast("View", aprotected if is_asynchronous(view) else protected)

    @clears_locals
    def _acquired(self, request: HttpRequest, requirements: dict[str, Any], optional: bool) -> Any:
        pairs = tuple(request.headers.items())
        query = str(request.META.get("QUERY_STRING", ""))
        asked = ProtectedRequest(request.method or "", request.build_absolute_uri(), request.headers, pairs, query)
        token = self.accept(asked, requirements, optional=optional)
        if token is not None:
            token_authenticated.send(sender=type(self), token=token)
        return token


class BearerTokenValidator(bearer.BearerTokenValidator):
    """Looks tokens up in a model of Django, by its field `access_token`.

    token_model: the model; its instances have `is_expired()`, `is_revoked()` and `get_scope()`.
    realm, extra_attributes: as for every validator.
    """

    def __init__(self, token_model: Any, realm: str | None = None, **extra_attributes: str) -> None:
        self.token_model = token_model
        super().__init__(realm, **extra_attributes)

    def authenticate_token(self, token_string: str) -> Any:
        """Return the instance with this access token, or None."""
        try:
            return self.token_model.objects.get(access_token=token_string)
        except self.token_model.DoesNotExist:
            return None


def return_error_response(error: OAuthError) -> HttpResponse:
    """Return the response to `error`: its status, its challenge and a JSON body."""
    reply = protector_reply(error)
    return HttpResponse(reply.body, status=reply.status, headers=dict(reply.headers))
