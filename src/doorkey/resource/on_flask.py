"""`FlaskGuard`: a decorator of views, and the route of the API's metadata."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Blueprint, Flask, Response, current_app, has_request_context, request

from doorkey.errors import UsageError
from doorkey.resource.access_token import AccessToken
from doorkey.resource.flask_request import request_values
from doorkey.resource.framework_guard import Claims, Decorator, accepted_without_token, requirement_of
from doorkey.resource.messages import Rejection, Reply
from doorkey.resource.on_wsgi import WSGIGuard

View = TypeVar("View", bound=Callable[..., Any])

__all__ = ["FlaskGuard"]


class FlaskGuard(WSGIGuard):
    """Checks the access token of each request to a Flask application; see `FrameworkGuard` for the arguments.

    ``@guard.require("orders:read")`` protects a view, which finds the token in `guard.access_token`. The verifier must
    be an `AccessTokenVerifier`.
    """

    def require(
        self,
        *scopes: str,
        claims: Claims | None = None,
        acr: str | Iterable[str] = (),
        max_age: float | None = None,
        optional: bool = False,
    ) -> Decorator:
        """Return the decorator of a view, which belongs below the decorator of the route. The view may be asynchronous.

        scopes, claims, acr, max_age: the requirement of the view; see `Requirement`.
        optional: also call the view for requests without a token. An invalid token is still rejected.

        CORS preflight requests are not checked, because Flask itself responds to their method, OPTIONS.

        Raises `UsageError` for invalid arguments.
        """
        requirement = requirement_of(scopes, claims, acr, max_age)

        def decorated(view: View) -> View:
            @wraps(view)
            def guarded(*args: Any, **kwargs: Any) -> Any:
                found = self.guard.check(self._api_request(request.environ), requirement)
                if isinstance(found, Rejection) and not accepted_without_token(found, optional):
                    return _response_of(found)
                _kept()[self._name] = None if isinstance(found, Rejection) else found
                return current_app.ensure_sync(view)(*args, **kwargs)

            return cast("View", guarded)

        return decorated

    @property
    def access_token(self) -> AccessToken | None:
        """The token of the current request; None if the request has no token and the view does not require it.

        Raises `UsageError` outside a view with ``@guard.require(…)``.
        """
        if not has_request_context() or self._name not in _kept():
            raise UsageError("this guard has not checked the current request: decorate the view with @guard.require()")
        found: AccessToken | None = _kept()[self._name]
        return found

    def init_app(self, app: Flask | Blueprint) -> None:
        """Add the route of the API's metadata (RFC 9728 §3).

        app: the application, or a blueprint.

        Raises `UsageError` if the guard has no `resource`.
        """
        path = self.metadata_path
        if path is None:
            raise UsageError("this API has no metadata: give resource= to the guard")

        def metadata() -> Response:
            reply = self.guard.metadata_reply(self._api_request(request.environ))
            assert reply is not None, "the route has the path of the metadata"
            return _response_of(reply)

        app.add_url_rule(path, endpoint=f"metadata{id(self)}", view_func=metadata)

    @property
    def _name(self) -> str:
        """The key of the token in the values of the request. Several guards may check one request."""
        return f"access_token_{id(self)}"


def _kept() -> dict[str, Any]:
    kept = request_values()
    assert kept is not None, "a request is being handled"
    return kept


def _response_of(reply: Reply) -> Response:
    return Response(reply.body, reply.status, dict(reply.headers))
