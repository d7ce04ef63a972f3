"""`DjangoGuard`: a decorator of views, middleware, and the route of the API's metadata."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeAlias, TypeVar, cast

from asgiref import sync
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from doorkey.errors import UsageError
from doorkey.resource.framework_guard import (
    Certificate,
    Claims,
    Decorator,
    FrameworkGuard,
    accepted_without_token,
    requirement_of,
)
from doorkey.resource.messages import ApiRequest, Rejection, Reply
from doorkey.resource.on_asgi import tls_certificate
from doorkey.resource.requirement import Requirement

View = TypeVar("View", bound=Callable[..., Any])
GetResponse: TypeAlias = Callable[[HttpRequest], Any]

__all__ = ["DjangoGuard"]

_WRONG = (
    "a synchronous view cannot await an AsyncAccessTokenVerifier: give an AccessTokenVerifier, or make the view async"
)


class DjangoGuard(FrameworkGuard):
    """Checks the access token of each request to a Django project; see `FrameworkGuard` for the arguments.

    ``@guard.require("orders:read")`` protects a view; `guard.middleware()` protects all views. A view finds the token
    in `request.access_token`.
    """

    def require(
        self,
        *scopes: str,
        claims: Claims | None = None,
        acr: str | Iterable[str] = (),
        max_age: float | None = None,
        optional: bool = False,
    ) -> Decorator:
        """Return the decorator of a blocking or asynchronous view. For a class, decorate ``MyView.as_view()``.

        scopes, claims, acr, max_age: the requirement of the view; see `Requirement`.
        optional: also call the view for requests without a token. An invalid token is still rejected.

        Raises `UsageError` for an asynchronous verifier with a blocking view, and for invalid arguments.
        """
        requirement = requirement_of(scopes, claims, acr, max_age)

        def decorated(view: View) -> View:
            return cast("View", wraps(view)(self._guarded(view, requirement, optional)))

        return decorated

    def middleware(
        self,
        *scopes: str,
        claims: Claims | None = None,
        acr: str | Iterable[str] = (),
        max_age: float | None = None,
        optional: bool = False,
    ) -> Callable[[GetResponse], Any]:
        """Return the middleware that checks every request.

        Write ``access_tokens = guard.middleware()`` in a module of yours, and add the path of this name to the setting
        `MIDDLEWARE`. The arguments are those of `require`.

        A CORS preflight request has no token, so CORS middleware must come first. The middleware also serves the
        metadata of the API (RFC 9728).
        """
        requirement = requirement_of(scopes, claims, acr, max_age)

        def access_tokens(get_response: GetResponse) -> Any:
            guarded = self._guarded(get_response, requirement, optional)

            def blocking(request: HttpRequest) -> Any:
                return self._metadata(request) or guarded(request)

            async def awaiting(request: HttpRequest) -> Any:
                return self._metadata(request) or await guarded(request)

            return awaiting if is_asynchronous(get_response) else blocking

        factory = cast("Any", access_tokens)
        factory.sync_capable, factory.async_capable = not self.guard.awaits, True
        return access_tokens

    @property
    def urls(self) -> list[URLPattern]:
        """The route of the API's metadata (RFC 9728 §3), for a project without the middleware."""
        where = self.metadata_path

        def metadata(request: HttpRequest) -> HttpResponse:
            response = self._metadata(request)
            assert response is not None, "the route has the path of the metadata"
            return response

        return [] if where is None else [path(where.removeprefix("/"), metadata)]

    def _api_request(self, request: HttpRequest) -> ApiRequest:
        """Return the request as an `ApiRequest`. Django has joined repeated headers."""

        def of_connection() -> Certificate:
            scope: dict[str, Any] | None = getattr(request, "scope", None)
            return request.META.get("SSL_CLIENT_CERT") or None if scope is None else tls_certificate(scope)

        headers = tuple(request.headers.items())
        return self._request(request.method or "GET", request.get_full_path(), headers, of_connection)

    def _guarded(self, view: Callable[..., Any], requirement: Requirement, optional: bool) -> Callable[..., Any]:
        def accepted(request: HttpRequest, found: Any) -> HttpResponse | None:
            if isinstance(found, Rejection) and not accepted_without_token(found, optional):
                return _response_of(found)
            cast("Any", request).access_token = None if isinstance(found, Rejection) else found
            return None

        def blocking(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            found = self.guard.check(self._api_request(request), requirement)
            return accepted(request, found) or view(request, *args, **kwargs)

        async def awaiting(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            found = await self.guard.acheck(self._api_request(request), requirement)
            return accepted(request, found) or await view(request, *args, **kwargs)

        if is_asynchronous(view):
            return awaiting
        if self.guard.awaits:
            raise UsageError(_WRONG)
        return blocking

    def _metadata(self, request: HttpRequest) -> HttpResponse | None:
        reply = self.guard.metadata_reply(self._api_request(request))
        return None if reply is None else _response_of(reply)


def is_asynchronous(view: Callable[..., Any]) -> bool:
    """Return whether a view must be awaited.

    Views of `as_view()` have a mark that the `iscoroutinefunction` of Python 3.11 ignores.
    """
    return sync.iscoroutinefunction(view)  # pyright: ignore[reportDeprecated]


def _response_of(reply: Reply) -> HttpResponse:
    return HttpResponse(reply.body, status=reply.status, headers=dict(reply.headers))
