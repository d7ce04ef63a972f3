"""The part that the guards of all web frameworks share: their options, and the request as a value."""

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
"""Characters of a path that are not encoded: a decoded path may contain a question mark, which begins no query."""


class Decorator(Protocol):
    """Decorates a view, whose type it keeps."""

    def __call__(self, view: V, /) -> V:
        """Return the view with the check before it."""
        ...


class FrameworkGuard:
    """Checks the access token of each request, in the terms of one web framework.

    verifier: an `AccessTokenVerifier` or an `AsyncAccessTokenVerifier`.
    realm: the name of the protected area, for the challenge (RFC 9110 §11.5).
    resource: the identifier of the API, an https URL, or a `ProtectedResource`: its metadata is served, and challenges
        name the URL of the metadata (RFC 9728).
    token_in_query: accept a token in the query of the URL too (RFC 6750 §2.3). URLs reach logs and other sites.
    dpop: verifies the DPoP proof of a request, as for `Guard`.
    client_certificate: where the client certificate of the connection is found, for tokens that are bound to one
        (RFC 8705 §3). None: nowhere, and such tokens are rejected. "tls": this server has terminated TLS. A function of
        the request's headers, for instance `certificate_header(…)`: a proxy has, and it removes this header from what
        clients send.

    Raises `UsageError`.
    """

    _blocks: ClassVar[bool] = False
    """Whether the framework cannot await a verifier."""

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
            raise UsageError("this framework blocks, and AsyncAccessTokenVerifier does not: give AccessTokenVerifier")
        self._client_certificate = client_certificate

    @property
    def metadata_path(self) -> str | None:
        """The path of the API's metadata (RFC 9728 §3.1); None without `resource`."""
        return None if self.guard.resource is None else self.guard._metadata_path

    @clears_locals
    def _request(self, method: str, url: str, headers: Pairs, of_connection: Callable[[], Certificate]) -> ApiRequest:
        """Return the request as the guard takes it; `of_connection` returns the certificate that the server has."""
        source = self._client_certificate
        certificate = None
        if source is not None:
            certificate = of_connection() if isinstance(source, str) else source(headers)
        return ApiRequest(method, url, headers, certificate)


def requirement_of(
    scopes: Iterable[str], claims: Claims | None, acr: str | Iterable[str], max_age: float | None
) -> Requirement:
    """Return the requirement of a request, from the arguments of a decorator or a middleware. Raises `UsageError`."""
    if any(callable(scope) for scope in scopes):
        raise UsageError("require is called with the scopes of a view, and its result decorates it: @guard.require()")
    return Requirement(" ".join(texts(scopes, "a scope that a request needs")), claims or {}, acr, max_age)


def accepted_without_token(found: AccessToken | Rejection, optional: bool) -> bool:
    """Return whether a request has no token and needs none."""
    return optional and isinstance(found, Rejection) and isinstance(found.error, MissingAccessToken)


def target(path: str | bytes, query: str) -> str:
    """Return the URL of a request without its host: `path` is encoded or not, `query` has no question mark."""
    encoded = quote(path.encode("utf-8", "replace") if isinstance(path, str) else path, safe=_PATH)
    return f"{encoded}?{query}" if query else encoded


def latin1_pairs(headers: Iterable[tuple[Any, Any]]) -> Pairs:
    """Return headers as pairs of text: bytes are latin-1 (RFC 9110 §5.5)."""
    return tuple((_latin1(name), _latin1(value)) for name, value in headers)


def _latin1(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
