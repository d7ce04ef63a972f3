"""`FastAPIGuard`: a dependency with its OpenAPI security scheme, for HTTP and WebSockets."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, HTTPException, Security, WebSocketException
from fastapi.openapi.models import HTTPBearer
from fastapi.openapi.models import SecurityBase as SecurityScheme
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from doorkey.protocol.protected_resource import ProtectedResource
from doorkey.resource.access_token import AccessToken
from doorkey.resource.framework_guard import CertificateSource, Claims, requirement_of
from doorkey.resource.guard import AnyVerifier, DPoPCheck
from doorkey.resource.messages import Rejection
from doorkey.resource.on_asgi import DENIAL
from doorkey.resource.on_starlette import StarletteGuard
from doorkey.resource.requirement import Requirement

__all__ = ["FastAPIGuard"]


class FastAPIGuard(StarletteGuard):
    """Checks the access token of each request to a FastAPI application.

    ``token: Annotated[AccessToken, guard.require("orders:read")]`` is a parameter of a path operation, blocking or
    asynchronous, or of a WebSocket. A blocking verifier runs in a worker thread if it must send a request.

    scheme_name: the name of the security scheme in the OpenAPI document. Each guard of an application needs its own.
    security_scheme: the security scheme, for instance `OpenIdConnect` of `fastapi.openapi.models`; defaults to HTTP
        authentication with a bearer token.

    The other arguments are those of `FrameworkGuard`.
    """

    def __init__(
        self,
        verifier: AnyVerifier,
        *,
        realm: str | None = None,
        resource: str | ProtectedResource | None = None,
        token_in_query: bool = False,
        dpop: DPoPCheck | None = None,
        client_certificate: CertificateSource = None,
        scheme_name: str = "AccessToken",
        security_scheme: SecurityScheme | None = None,
    ) -> None:
        super().__init__(
            verifier,
            realm=realm,
            resource=resource,
            token_in_query=token_in_query,
            dpop=dpop,
            client_certificate=client_certificate,
        )
        self._scheme_name = scheme_name
        self._security_scheme = security_scheme or HTTPBearer(bearerFormat="JWT", description="An access token")

    def require(
        self,
        *scopes: str,
        claims: Claims | None = None,
        acr: str | Iterable[str] = (),
        max_age: float | None = None,
        optional: bool = False,
    ) -> Any:
        """Return the dependency of a path operation or a WebSocket, whose value is the `AccessToken`.

        scopes, claims, acr, max_age: the requirement of the operation; see `Requirement`.
        optional: also call the operation for requests without a token, with None. An invalid token is still rejected.

        A rejected request raises `HTTPException`, so an exception handler of the application can make the response. A
        WebSocket is rejected during its handshake.

        Raises `UsageError` for invalid arguments.
        """
        requirement = requirement_of(scopes, claims, acr, max_age)
        return Security(_Required(self, requirement, optional), scopes=[*requirement.scopes])

    @property
    def router(self) -> APIRouter:
        """The router with the API's metadata (RFC 9728 §3): ``app.include_router(guard.router)``."""
        return APIRouter(routes=[*self.routes])


class _Required(SecurityBase):
    """The dependency that one call of `require` returns."""

    def __init__(self, guard: FastAPIGuard, requirement: Requirement, optional: bool) -> None:
        self.model, self.scheme_name = guard._security_scheme, guard._scheme_name
        self._guard, self._requirement, self._optional = guard, requirement, optional

    async def __call__(self, connection: HTTPConnection) -> AccessToken | None:
        found = await self._guard._acheck(connection.scope, self._requirement, self._optional)
        if not isinstance(found, Rejection):
            return found
        scope = connection.scope
        if scope["type"] == "websocket" and DENIAL not in (scope.get("extensions") or {}):
            raise WebSocketException(found.close_code)
        raise HTTPException(found.status, json.loads(found.body), dict(found.headers))
