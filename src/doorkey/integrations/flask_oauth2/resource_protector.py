"""`ResourceProtector` for Flask: a decorator and a context manager, and the token of the current request."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial, wraps
from typing import Any, NoReturn, TypeVar, cast, overload

from blinker import Namespace
from flask import current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.local import LocalProxy
from werkzeug.wrappers import Response

from doorkey.errors import OAuthError
from doorkey.resource.flask_request import request_values
from doorkey.resource.framework_guard import Decorator
from doorkey.resource.validators.bearer import Scopes
from doorkey.resource.validators.protector import ProtectedRequest, ProtectorCore
from doorkey.resource.validators.responses import protector_reply
from doorkey.values import clears_locals

View = TypeVar("View", bound=Callable[..., Any])

_TOKEN = "current_token"  # the key of the token in the context of the request

token_authenticated = Namespace().signal("token_authenticated")
"""Sent with `token=` after a request was accepted."""


class ResourceProtector(ProtectorCore):
    """Protects Flask views, as ``@require_oauth("profile")`` if `require_oauth` is the instance.

    Call `register_token_validator` to add the validator of tokens.
    """

    def raise_error_response(self, error: OAuthError) -> NoReturn:
        """Raise the `HTTPException` with the response for `error`, which ends the request.

        A subclass may raise another `HTTPException`.

        error: the error of the validator.
        """
        reply = protector_reply(error)
        response = Response(reply.body, reply.status, list(reply.headers))
        raise HTTPException(response=response) from error

    def acquire_token(self, scopes: Scopes = None, **claims: Any) -> Any:
        """Return the token of the current request.

        scopes: the required scopes, as text with spaces between them; or several such texts, of which one must match.
        claims: further arguments of the validator, for instance `groups`.

        Raises the errors of the validator. It creates no response.
        """
        return self._acquired({"scopes": scopes, **claims}, optional=False)

    @contextmanager
    def acquire(self, scopes: Scopes = None) -> Generator[Any]:
        """Enter a block with the token of the current request, or end the request by `raise_error_response`.

        scopes: as for `acquire_token`.
        """
        try:
            token = self.acquire_token(scopes)
        except OAuthError as error:
            self.raise_error_response(error)
        yield token

    @overload
    def __call__(self, scopes: View, /) -> View: ...
    @overload
    def __call__(self, scopes: Scopes = None, optional: bool = False, **claims: Any) -> Decorator: ...
    def __call__(self, scopes: Scopes | Callable[..., Any] = None, optional: bool = False, **claims: Any) -> Any:
        """Return a decorator for a view. ``@require_oauth`` without a call works too.

        scopes: as for `acquire_token`.
        optional: also call the view if the request has no token; `current_token` is then false.
        claims: further arguments of the validator, for instance `groups`.
        """
        if callable(scopes):
            return self._protected(scopes, {}, optional=optional)
        return partial(self._protected, requirements={"scopes": scopes, **claims}, optional=optional)

    def _protected(self, view: View, requirements: dict[str, Any], optional: bool) -> View:
        @wraps(view)
        def protected(*args: Any, **kwargs: Any) -> Any:
            try:
                self._acquired(requirements, optional)
            except OAuthError as error:
                self.raise_error_response(error)
            return current_app.ensure_sync(view)(*args, **kwargs)

        return cast("View", protected)

    @clears_locals
    def _acquired(self, requirements: dict[str, Any], optional: bool) -> Any:
        pairs = tuple((name, value) for name, value in request.headers.items())
        query = request.query_string.decode("latin-1")
        received = ProtectedRequest(request.method, request.url, request.headers, pairs, query)
        token = self.accept(received, requirements, optional=optional)
        kept = request_values()
        assert kept is not None, "a request is being handled"
        kept[_TOKEN] = token
        if token is not None:
            token_authenticated.send(self, token=token)
        return token


current_token: Any = LocalProxy(lambda: (request_values() or {}).get(_TOKEN))
"""The token object of the current request. False if there is no token: in an optional view, or outside a request."""
