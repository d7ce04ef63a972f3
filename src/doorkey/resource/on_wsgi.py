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
"""The member of the environ that has the token."""

__all__ = ["WSGIGuard"]


class WSGIGuard(FrameworkGuard):
    """Checks the access token of each request to a WSGI application; see `FrameworkGuard` for the arguments.

    The verifier is an `AccessTokenVerifier`: WSGI blocks. Behind Apache, `WSGIPassAuthorization On` is needed.
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
        """Return `app` such that it receives only requests that the guard accepts.

        app: the application, which finds the token in ``environ["doorkey.access_token"]``.
        scopes, claims, acr, max_age: the requirement for every request; see `Requirement`.
        optional: pass on requests without a token too; their token is None. A wrong token is rejected.

        A preflight request of CORS has no token: CORS middleware belongs outside this one. The metadata of the API is
        served here (RFC 9728).
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
        """Return the request of an environ. A server joins headers that are there twice (RFC 3875 §4.1.18)."""
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
