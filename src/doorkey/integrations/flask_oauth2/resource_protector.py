"""`ResourceProtector` of Flask: a decorator and a context manager, and the token of the current request."""

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
from doorkey.resource.flask_request import of_request
from doorkey.resource.framework_guard import Decorator
from doorkey.resource.validators.bearer import Scopes
from doorkey.resource.validators.protector import ProtectedRequest, ProtectorCore
from doorkey.resource.validators.responses import protector_reply
from doorkey.values import clears_locals

View = TypeVar("View", bound=Callable[..., Any])

_TOKEN = "current_token"  # the name under which it is kept

token_authenticated = Namespace().signal("token_authenticated")
"""Sent with `token=` when a request has been accepted."""


class ResourceProtector(ProtectorCore):
    """Protects views of Flask: ``@require_oauth("profile")``, for an instance that is called `require_oauth`.

    `register_token_validator` adds the validator that decides.
    """

    def raise_error_response(self, error: OAuthError) -> NoReturn:
        """End the request with the response to `error`. A subclass may raise another `HTTPException`."""
        reply = protector_reply(error)
        response = Response(reply.body, reply.status, list(reply.headers))
        raise HTTPException(response=response) from error

    def acquire_token(self, scopes: Scopes = None, **claims: Any) -> Any:
        """Return the token of the current request.

        scopes: one text, or alternatives; each text is one or more scopes with spaces between them.
        claims: further arguments of the validator, for instance `groups`.

        Raises the errors of the validator, and makes no response.
        """
        return self._acquired({"scopes": scopes, **claims}, optional=False)

    @contextmanager
    def acquire(self, scopes: Scopes = None) -> Generator[Any]:
        """Enter a block with the token of the current request, or end the request with `raise_error_response`."""
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
        """Return the decorator of a view; ``@require_oauth`` without a call is one too.

        scopes: as for `acquire_token`.
        optional: run the view without a token too; `current_token` is then false.
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
        asked = ProtectedRequest(request.method, request.url, request.headers, pairs, query)
        token = self.accept(asked, requirements, optional=optional)
        kept = of_request()
        assert kept is not None, "a request is being handled"
        kept[_TOKEN] = token
        if token is not None:
            token_authenticated.send(self, token=token)
        return token


current_token: Any = LocalProxy(lambda: (of_request() or {}).get(_TOKEN))
"""The token object of the current request; false if there is none, as in an optional view or outside a request."""
