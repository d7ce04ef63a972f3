"""The common part of the guards for web frameworks: their options, and the conversion of a request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final, Literal, Protocol, TypeAlias, TypeVar
from urllib.parse import quote

from doorkey.arguments import function, texts
from doorkey.errors import UsageError
from doorkey.protocol.protected_resource import ProtectedResource
from doorkey.protocol.rejections import MissingAccessToken
from doorkey.resource.access_token import AccessToken
from doorkey.resource.guard import AnyVerifier, DPoPCheck, Guard
from doorkey.resource.messages import ApiRequest, Rejection
from doorkey.resource.requirement import ClaimCheck, ClaimName, Requirement
from doorkey.values import clears_locals
from doorkey.wire.messages import Pairs

V = TypeVar("V", bound=Callable[..., Any])

Certificate: TypeAlias = str | bytes | None
CertificateSource: TypeAlias = "Literal['tls'] | Callable[[Pairs], Certificate] | None"
Claims: TypeAlias = Mapping[ClaimName, ClaimCheck]

_PATH: Final = "/:@!$&'()*+,;=~%"
"""Characters that are not percent-encoded in a path. A question mark in a decoded path must be, because it begins no
query."""


class Decorator(Protocol):
    """A decorator of views that preserves the type of the view."""

    def __call__(self, view: V, /) -> V:
        """Return `view` with a check of the access token before each call."""
        ...


class FrameworkGuard:
    """Checks the access token of each request of one web framework.

    verifier: an `AccessTokenVerifier` or an `AsyncAccessTokenVerifier`.
    realm: the name of the protection space, for the challenge (RFC 9110 §11.5).
    resource: the identifier of the API (an https URL), or a `ProtectedResource`. The guard serves its metadata, and
        challenges name the URL of the metadata (RFC 9728).
    token_in_query: also accept a token in the query of the URL (RFC 6750 §2.3). URLs end up in logs and at other sites.
    dpop: verifies the DPoP proof of a request, as for `Guard`.
    client_certificate: the source of the client certificate, for tokens that are bound to a certificate (RFC 8705 §3).
        None: no source, so such tokens are rejected. "tls": this server terminates TLS. A function of the request's
        headers, for instance `certificate_header(…)`: a proxy terminates TLS, and removes this header from the requests
        of clients.

    Raises `UsageError` for invalid arguments.
    """

    _blocks: ClassVar[bool] = False
    """Whether the framework is synchronous, so that it cannot await a verifier."""

    def __init__(
        self,
        verifier: AnyVerifier,
        *,
        realm: str | None = None,
        resource: str | ProtectedResource | None = None,
        token_in_query: bool = False,
        dpop: DPoPCheck | None = None,
        client_certificate: CertificateSource = None,
    ) -> None:
        if client_certificate not in (None, "tls"):
            expected = 'client_certificate is "tls", or a function of the headers: certificate_header("X-Client-Cert")'
            function(client_certificate, expected)
        self.guard = Guard(verifier, realm=realm, resource=resource, token_in_query=token_in_query, dpop=dpop)
        if self._blocks and self.guard.awaits:
            raise UsageError(
                "this framework is synchronous: give an AccessTokenVerifier, not an AsyncAccessTokenVerifier"
            )
        self._client_certificate = client_certificate

    @property
    def metadata_path(self) -> str | None:
        """The path of the API's metadata (RFC 9728 §3.1); None without `resource`."""
        return None if self.guard.resource is None else self.guard._metadata_path

    @clears_locals
    def _request(self, method: str, url: str, headers: Pairs, of_connection: Callable[[], Certificate]) -> ApiRequest:
        """Return the request as an `ApiRequest`. `of_connection` returns the certificate that this server received."""
        source = self._client_certificate
        certificate = None
        if source is not None:
            certificate = of_connection() if isinstance(source, str) else source(headers)
        return ApiRequest(method, url, headers, certificate)


def requirement_of(
    scopes: Iterable[str], claims: Claims | None, acr: str | Iterable[str], max_age: float | None
) -> Requirement:
    """Return the requirement for the arguments of a decorator or a middleware. Raises `UsageError`."""
    if any(callable(scope) for scope in scopes):
        raise UsageError("require takes the scopes of a view and returns its decorator: write @guard.require()")
    return Requirement(" ".join(texts(scopes, "a scope that a request needs")), claims or {}, acr, max_age)


def accepted_without_token(found: AccessToken | Rejection, optional: bool) -> bool:
    """Return whether a request without a token is accepted, because the token is `optional`."""
    return optional and isinstance(found, Rejection) and isinstance(found.error, MissingAccessToken)


def target(path: str | bytes, query: str) -> str:
    """Return the URL of a request without its host.

    path: the path, percent-encoded or decoded.
    query: the query, without the question mark.
    """
    encoded = quote(path.encode("utf-8", "replace") if isinstance(path, str) else path, safe=_PATH)
    return f"{encoded}?{query}" if query else encoded


def latin1_pairs(headers: Iterable[tuple[Any, Any]]) -> Pairs:
    """Return headers as pairs of text. Bytes are decoded as latin-1 (RFC 9110 §5.5)."""
    return tuple((_latin1(name), _latin1(value)) for name, value in headers)


def _latin1(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
