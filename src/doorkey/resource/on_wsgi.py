"""`WSGIGuard`: middleware for every WSGI application. Imports no framework."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, ClassVar, Final, TypeAlias

from doorkey.resource.framework_guard import (
    Claims,
    FrameworkGuard,
    accepted_without_token,
    requirement_of,
    target,
)
from doorkey.resource.messages import ApiRequest, Rejection
from doorkey.wire.messages import Pairs

Environ: TypeAlias = dict[str, Any]
WSGIApp: TypeAlias = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

ENVIRON_NAME: Final = "doorkey.access_token"
"""The key of the token in the environ."""

__all__ = ["WSGIGuard"]


class WSGIGuard(FrameworkGuard):
    """Checks the access token of each request to a WSGI application; see `FrameworkGuard` for the arguments.

    The verifier must be an `AccessTokenVerifier`, because WSGI blocks. Apache needs `WSGIPassAuthorization On`.
    """

    _blocks: ClassVar[bool] = True

    def middleware(
        self,
        app: WSGIApp,
        *scopes: str,
        claims: Claims | None = None,
        acr: str | Iterable[str] = (),
        max_age: float | None = None,
        optional: bool = False,
    ) -> WSGIApp:
        """Return `app` wrapped in middleware, so that it receives only requests that the guard accepts.

        app: the application, which finds the token in ``environ["doorkey.access_token"]``.
        scopes, claims, acr, max_age: the requirement for every request; see `Requirement`.
        optional: also accept requests without a token; their token is None. An invalid token is still rejected.

        A CORS preflight request has no token, so CORS middleware must wrap this middleware. The middleware also serves
        the metadata of the API (RFC 9728).

        Raises `UsageError` for invalid arguments.
        """
        requirement = requirement_of(scopes, claims, acr, max_age)

        def guarded(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
            request = self._api_request(environ)
            reply = self.guard.metadata_reply(request)
            if reply is None:
                found = self.guard.check(request, requirement)
                if not isinstance(found, Rejection) or accepted_without_token(found, optional):
                    environ[ENVIRON_NAME] = None if isinstance(found, Rejection) else found
                    return app(environ, start_response)
                reply = found
            headers = [*reply.headers, ("Content-Length", str(len(reply.body)))]
            start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", headers)
            return [] if request.method == "HEAD" else [reply.body]

        return guarded

    def _api_request(self, environ: Environ) -> ApiRequest:
        """Return the request of an environ. The server has joined repeated headers (RFC 3875 §4.1.18)."""
        path = (environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")).encode("latin-1", "replace")
        url = target(path, environ.get("QUERY_STRING", ""))
        return self._request(
            environ["REQUEST_METHOD"], url, headers_of(environ), lambda: environ.get("SSL_CLIENT_CERT") or None
        )


def headers_of(environ: Environ) -> Pairs:
    """Return the headers of an environ as pairs."""
    return tuple(
        (key.removeprefix("HTTP_").replace("_", "-"), str(value))
        for key, value in environ.items()
        if key.startswith("HTTP_")
    )
