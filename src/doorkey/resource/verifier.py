"""`AccessTokenVerifier` and `AsyncAccessTokenVerifier`: verification of the access tokens that an API receives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, TypeAlias, TypeVar

from doorkey import arguments
from doorkey.errors import UsageError
from doorkey.jose.claim_rules import LEEWAY, MAX_LEEWAY
from doorkey.protocol.access_token import check_binding
from doorkey.protocol.certificate_binding import certificate_thumbprint
from doorkey.protocol.token_profiles import TokenProfile
from doorkey.resource.access_token import AccessToken
from doorkey.resource.core import AtIssuer, IssuerVerifier, VerifierCore, digest_of
from doorkey.resource.requirement import ClaimCheck, ClaimName, Requirement
from doorkey.resource.trusted_issuer import IntrospectionClient, TrustedIssuer, issuer_for
from doorkey.runtime.clock import wall_time
from doorkey.sources.issuer import Issuer
from doorkey.values import NotPicklable, clear_locals, clears_locals
from doorkey.wire.flow import Flow, arun, run
from doorkey.wire.limits import ExchangePolicy

T = TypeVar("T")
OneIssuer: TypeAlias = "str | Issuer | TrustedIssuer"

ENTRIES: Final = 10_000
CACHE_FOR: Final = 300.0

_SCHEMES: Final = ("Bearer", "DPoP")
_SEVERAL: Final = (
    "introspection= has credentials for one issuer, and there are several: give TrustedIssuer(…, introspection=…)"
)


class _Verifier(NotPicklable):
    """The common part of both verifiers: everything except the driver of the flows."""

    @clears_locals
    def __init__(
        self,
        issuer: OneIssuer | Iterable[OneIssuer],
        *,
        audience: str | Iterable[str] = (),
        profile: str | TokenProfile = "rfc9068",
        algorithms: str | Iterable[str] | None = None,
        introspection: IntrospectionClient | None = None,
        leeway: float = LEEWAY,
        cache_entries: int = ENTRIES,
        cache_for: float = CACHE_FOR,
        http_client: Any = None,
        exchange: ExchangePolicy | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        clock = wall_time if clock is None else clock
        arguments.clock(clock)
        leeway = arguments.seconds(leeway, "leeway", most=MAX_LEEWAY)
        cache_for = arguments.seconds(cache_for, "cache_for")
        several = (
            [issuer] if isinstance(issuer, str | Issuer | TrustedIssuer) else [*arguments.members(issuer, _ISSUERS)]
        )
        if introspection is not None and len(several) > 1:
            raise UsageError(_SEVERAL)
        self._made: list[Issuer] = []
        verifiers: list[IssuerVerifier] = []
        for one in several:
            if isinstance(one, TrustedIssuer):
                trusted = one
            else:
                trusted = TrustedIssuer(
                    one, audience=audience, profile=profile, algorithms=algorithms, introspection=introspection
                )
            value = issuer_for(trusted, http_client=http_client, exchange=exchange, clock=clock)
            if value is not trusted.issuer:
                self._made.append(value)
            verifiers.append(IssuerVerifier(trusted, value, clock=clock, leeway=leeway, entries=cache_entries))
        self._core = VerifierCore(verifiers, clock=clock, leeway=leeway, entries=cache_entries, cache_for=cache_for)

    @property
    def issuers(self) -> tuple[str, ...]:
        """The URLs of the issuers whose tokens are accepted."""
        return self._core.issuers

    def _check(
        self,
        token: AccessToken,
        requirement: Requirement | None,
        certificate: str | bytes | None,
        proven_key: str | None,
        scheme: str,
    ) -> AccessToken:
        """Return `token` if the current request may use it. Raises the error of an unmet binding or requirement."""
        if scheme != "Bearer" or "cnf" in token.claims:
            if scheme not in _SCHEMES:
                raise UsageError("scheme is Bearer or DPoP")
            thumbprint = None if certificate is None else certificate_thumbprint(certificate)
            check_binding(token.claims, certificate=thumbprint, proven_key=proven_key, scheme=scheme)
        if requirement is not None:
            requirement.check(token, self._core.clock(), self._core.leeway)
        return token


_ISSUERS: Final = "issuer must be a URL, an Issuer or a TrustedIssuer, or a list of them"


def _requirement(
    scopes: str | Iterable[str],
    claims: Mapping[ClaimName, ClaimCheck] | None,
    acr: str | Iterable[str],
    max_age: float | None,
) -> Requirement | None:
    if not scopes and not claims and not acr and max_age is None:
        return None
    if not claims and not acr and max_age is None and isinstance(scopes, str):
        return _scopes_required(scopes)
    return Requirement(scopes, claims or {}, acr, max_age)


@lru_cache(maxsize=256)
def _scopes_required(scopes: str) -> Requirement:
    """Return the requirement for scopes only. It is cached, because most requests have one and repeat it."""
    return Requirement(scopes)


class AccessTokenVerifier(_Verifier):
    """Verifies the access tokens of one or several issuers. Thread-safe.

    issuer: the URL of the issuer, a `doorkey.Issuer` or a `TrustedIssuer`, or a list of them. Tokens of other issuers
        are rejected without a request.
    audience: the names of this API. The audience of a token must contain one of them. Required unless each issuer is a
        `TrustedIssuer`.
    profile: the profile of the issuer's JWTs: "rfc9068", "keycloak", "entra", "auth0", or a `TokenProfile`.
    algorithms: the accepted signature algorithms; None: all asymmetric algorithms.
    introspection: an `IntrospectionClient`, for tokens that are not JWTs (RFC 7662).
    leeway: the seconds by which two clocks may differ.
    cache_entries: the maximum number of cached tokens. The cache has the hash of a token, not the token.
    cache_for: seconds for which a token that was verified by its signature is cached, at most until it expires. For
        that time, it is accepted even if its key is removed from the issuer's key set. 0 turns this off. For an
        introspected token, `IntrospectionClient.cache_for` applies.
    http_client: a `requests.Session` or a `Client` of httpx2 or httpx; None creates a client.
    exchange: the bounds of each request to an issuer, an `ExchangePolicy`; None: the default bounds.
    clock: returns seconds since the epoch; None: `time.time`.

    Raises `UsageError` for invalid arguments.
    """

    @clears_locals
    def verify(
        self,
        token: str,
        *,
        scopes: str | Iterable[str] = (),
        claims: Mapping[ClaimName, ClaimCheck] | None = None,
        acr: str | Iterable[str] = (),
        max_age: float | None = None,
        certificate: str | bytes | None = None,
        proven_key: str | None = None,
        scheme: str = "Bearer",
    ) -> AccessToken:
        """Return the verified token (RFC 9068 §4, RFC 7662 §2.2).

        token: the access token, without its scheme.
        scopes, claims, acr, max_age: the requirement of the request; see `Requirement`.
        certificate: the client certificate of the TLS connection, as DER bytes or PEM, or None (RFC 8705 §3).
        proven_key: the JWK thumbprint of the key of a verified DPoP proof, or None (RFC 9449 §6.1).
        scheme: the scheme of the `Authorization` header: Bearer or DPoP.

        Raises `InvalidAccessToken`, `InsufficientPrivileges` or `StepUpRequired` if the token is rejected. Each is a
        `RequestRejected`, with a `status` and a `challenge()`. Raises `TransportError`, `ServerError`,
        `InvalidResponse` or another `VerificationError` if the token could not be checked: respond with the status 503.
        """
        digest = digest_of(_text(token))
        found = self._core.cached(digest)
        if found is None:
            found = self._run(self._core.checked(token, digest))
        return self._check(found, _requirement(scopes, claims, acr, max_age), certificate, proven_key, scheme)

    def close(self) -> None:
        """Close the HTTP clients that this verifier created."""
        for issuer in self._made:
            issuer.close()

    def __enter__(self) -> AccessTokenVerifier:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, flow: Flow[T]) -> T:
        return run(flow, self._perform)

    def _perform(self, effect: Any) -> Any:
        return _at_issuer(effect).issuer._blocking.run(effect.flow)


class AsyncAccessTokenVerifier(_Verifier):
    """Verifies access tokens in asynchronous programs. Tasks of one or several event loops may share it.

    http_client: an `AsyncClient` of httpx2 or httpx, or a `ClientSession` of aiohttp; None creates a client.

    The other parameters are those of `AccessTokenVerifier`.
    """

    async def verify(
        self,
        token: str,
        *,
        scopes: str | Iterable[str] = (),
        claims: Mapping[ClaimName, ClaimCheck] | None = None,
        acr: str | Iterable[str] = (),
        max_age: float | None = None,
        certificate: str | bytes | None = None,
        proven_key: str | None = None,
        scheme: str = "Bearer",
    ) -> AccessToken:
        """Return the verified token; see `AccessTokenVerifier.verify` for the parameters and the errors."""
        try:
            digest = digest_of(_text(token))
            found = self._core.cached(digest)
            if found is None:
                found = await self._run(self._core.checked(token, digest))
            return self._check(found, _requirement(scopes, claims, acr, max_age), certificate, proven_key, scheme)
        except BaseException as error:
            del token
            clear_locals(error)
            raise

    async def aclose(self) -> None:
        """Close the HTTP clients that this verifier created for the current event loop."""
        for issuer in self._made:
            await issuer.aclose()

    async def __aenter__(self) -> AsyncAccessTokenVerifier:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _run(self, flow: Flow[T]) -> T:
        return await arun(flow, self._perform)

    async def _perform(self, effect: Any) -> Any:
        return await _at_issuer(effect).issuer._awaiting.run(effect.flow)


def _at_issuer(effect: Any) -> AtIssuer[Any]:
    arguments.instance(effect, AtIssuer, "a verifier performs AtIssuer")
    checked: AtIssuer[Any] = effect
    return checked


def _text(token: object) -> str:
    if isinstance(token, str):
        return token
    kind = type(token).__name__
    del token
    raise UsageError(f"the access token must be text, not {kind}")
