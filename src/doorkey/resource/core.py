"""The verification of an access token as flows: with its own issuer only, by its signature or by introspection.

Theory of operation. The `iss` claim of a JWT chooses the issuer before anything is verified. It chooses only among the
issuers that the program has listed, so a token cannot cause a request to another server. Each issuer has its own keys,
audience, profile and introspection. Only tokens that passed all checks are cached, by the hash of the token, and at
most until their expiry. The requirement and the binding of the current request are checked for every request.

An error about the token is a `RequestRejected`. Any other error means that the token could not be checked, and then the
request is not permitted either.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, TypeVar, cast

from doorkey.errors import OAuthError, UsageError, VerificationError
from doorkey.jose.claim_rules import listed
from doorkey.jose.verification import UnverifiedToken, VerifiedToken, unsafe_read, verify
from doorkey.protocol.access_token import check_introspected, check_jwt, check_use
from doorkey.protocol.jwks import Keys
from doorkey.protocol.presented_token import MAX_TOKEN
from doorkey.protocol.rejections import InvalidAccessToken, RequestRejected
from doorkey.protocol.token_profiles import TokenProfile
from doorkey.resource.access_token import AccessToken, access_token_of
from doorkey.resource.introspector import Introspector
from doorkey.resource.token_cache import TokenCache
from doorkey.resource.trusted_issuer import TrustedIssuer
from doorkey.sources.issuer import Issuer
from doorkey.tokens import legal_token
from doorkey.wire.flow import Effect, Flow
from doorkey.wire.urls import how_issuers_differ

__all__: list[str] = []

T = TypeVar("T")
Clock = Callable[[], float]

_SHOWN: Final = 3
"""The maximum number of issuers in a message."""
_NO_INTROSPECTION: Final = "; tokens that are not JWTs need introspection="


@dataclass(frozen=True, slots=True)
class AtIssuer(Effect[T]):
    """The effect that runs `flow` with the HTTP client of `issuer`, and returns its result."""

    issuer: Issuer
    flow: Flow[T]


class IssuerVerifier:
    """Verifies the tokens of one issuer.

    trusted: the options of the issuer.
    issuer: its `Issuer`, with metadata and keys.
    clock, leeway: returns seconds since the epoch; the seconds by which two clocks may differ.
    entries: the maximum number of cached introspection responses.
    """

    def __init__(self, trusted: TrustedIssuer, issuer: Issuer, *, clock: Clock, leeway: float, entries: int) -> None:
        self.issuer, self.name = issuer, issuer.issuer
        self._clock, self._leeway = clock, leeway
        self._profile = cast("TokenProfile", trusted.profile)
        self._audience = cast("tuple[str, ...]", trusted.audience)
        self._algorithms = cast("tuple[str, ...]", trusted.algorithms)
        self._options = options = trusted.introspection
        self._tenants = trusted.tenant_issuer
        self.introspects_opaque = options is not None and options.opaque
        self.introspects_jwts = options is not None and options.jwts
        self._introspector: Introspector | None = None
        if options is not None:
            self._introspector = Introspector(
                options, issuer._core, issuer._server, self._audience, clock=clock, leeway=leeway, entries=entries
            )

    def by_signature(self, token: UnverifiedToken) -> Flow[AccessToken]:
        """Return a JWT access token that has passed all checks.

        Raises `InvalidAccessToken`, or the error of the request for metadata or keys.
        """
        tried: list[Keys] = []

        def check(keys: Keys) -> VerifiedToken:
            tried.append(keys)
            verified = verify(token, keys, algorithms=self._algorithms)
            check_jwt(verified.header, verified.claims, self._profile, **self._use(verified.claims))
            return verified

        try:
            verified = yield from self.issuer._core.keys.checked(check, self._clock)
        except RequestRejected:
            raise
        except VerificationError as error:
            if not tried:
                raise  # the metadata of the server is invalid
            unavailable = error.__cause__
            if isinstance(unavailable, OAuthError):  # newer keys, which could not be fetched, may verify the token
                raise unavailable.for_waiter() from None
            raise InvalidAccessToken(error.claim, error.reason, expected=error.expected) from None
        return self._made(verified.claims)

    def by_introspection(self, token: str, digest: bytes) -> Flow[tuple[AccessToken, float]]:
        """Return a token that the issuer reports as active, and the time until which it may be cached.

        Raises `InvalidAccessToken`, and the errors of `Introspector.members`.
        """
        assert self._introspector is not None, "the caller has chosen an issuer with introspection"
        assert self._options is not None, "the introspector was created with these options"
        kept = yield from self._introspector.members(token, digest)
        members = kept.value
        if members["active"] is not True:
            raise InvalidAccessToken("active", "is false: the token is expired, revoked or unknown to its issuer")
        check_introspected(members, self._profile)
        check_use(members, **self._use(members), audience_required=self._options.audience_required)
        return self._made(members), kept.fresh_until

    def is_tenant(self, issuer: str) -> bool:
        """Return whether `issuer` is the issuer of a tenant of this multi-tenant server."""
        return self._tenants is not None and self._tenants.is_issuer(issuer)

    def _use(self, claims: Mapping[str, Any]) -> dict[str, Any]:
        if self._tenants is not None and "iss" in claims:
            try:
                self._tenants.check(claims)
            except VerificationError as error:
                raise InvalidAccessToken(error.claim, error.reason, expected=error.expected) from None
        now, issuer = self._clock(), self._issuer_of(claims)
        return {"issuer": issuer, "audience": self._audience, "now": now, "leeway": self._leeway}

    def _issuer_of(self, claims: Mapping[str, Any]) -> str:
        """Return the issuer of a token. With a policy for tenants, it is the token's own issuer, which was checked."""
        return self.name if self._tenants is None else claims.get("iss", self.name)

    def _made(self, claims: Mapping[str, Any]) -> AccessToken:
        return access_token_of(self._issuer_of(claims), claims, self._profile)


class VerifierCore:
    """Verifies access tokens of several issuers, each with its own issuer; see the theory of operation above.

    verifiers: the verifier of each issuer.
    clock, leeway: returns seconds since the epoch; the seconds by which two clocks may differ.
    entries: the maximum number of cached tokens.
    cache_for: the seconds for which a token that was verified by its signature is cached, at most until its expiry.
    """

    def __init__(
        self, verifiers: Collection[IssuerVerifier], *, clock: Clock, leeway: float, entries: int, cache_for: float
    ) -> None:
        self._by_name = {one.name: one for one in verifiers}
        if not verifiers or len(self._by_name) < len(verifiers):
            raise UsageError("issuer= is empty, or has the same issuer twice")
        opaque = [one for one in verifiers if one.introspects_opaque]
        if len(opaque) > 1:
            raise UsageError(
                "opaque tokens do not name their issuer, and two issuers are configured for them: each would receive "
                "the tokens of the other. Use IntrospectionClient(opaque=False, jwts=True) for one of them"
            )
        self._opaque = opaque[0] if opaque else None
        self.clock, self.leeway, self._cache_for = clock, leeway, cache_for
        self._cache: TokenCache[AccessToken] = TokenCache(entries)

    @property
    def issuers(self) -> tuple[str, ...]:
        """The URLs of the issuers."""
        return tuple(self._by_name)

    def cached(self, digest: bytes) -> AccessToken | None:
        """Return the cached token with this hash, if it is still valid; otherwise None."""
        return self._cache.get(digest, self.clock())

    def verified(self, token: str) -> Flow[AccessToken]:
        """Return the token from the cache, or verify it.

        Raises `InvalidAccessToken`, or the error for which the token could not be checked.
        """
        digest = digest_of(token)
        return self.cached(digest) or (yield from self.checked(token, digest))

    def checked(self, token: str, digest: bytes) -> Flow[AccessToken]:
        """Verify a token without the cache, and cache it. `digest` is its hash. Raises the errors of `verified`."""
        verifier, read = self._chosen(token)
        if read is None:
            found, until = yield from AtIssuer(verifier.issuer, verifier.by_introspection(token, digest))
            now = self.clock()
        else:
            found = yield from AtIssuer(verifier.issuer, verifier.by_signature(read))
            now = self.clock()
            until = now + self._cache_for
        expires = found.expires_at
        self._cache.put(digest, found, now, until if expires is None else min(until, expires))
        return found

    def _chosen(self, token: str) -> tuple[IssuerVerifier, UnverifiedToken | None]:
        """Return the verifier for `token`, and the parsed token, or None instead if the token must be introspected."""
        if not legal_token(token) or len(token) > MAX_TOKEN:
            fix = ": give it without its scheme" if token[:7].lower() == "bearer " else ""
            raise InvalidAccessToken("token", f"is empty, too long, or has characters that are not legal{fix}")
        try:
            read = unsafe_read(token)
        except VerificationError as error:
            if self._opaque is None:
                raise InvalidAccessToken(error.claim, error.reason + _NO_INTROSPECTION) from None
            return self._opaque, None
        issuer: object = read.claims.get("iss")
        verifier = self._verifier_for(issuer) if isinstance(issuer, str) else None
        if verifier is None:
            if issuer is None and self._opaque is not None:
                return self._opaque, None
            hint = next(filter(None, (how_issuers_differ(issuer, known) for known in self._by_name)), "")
            reason = f"is not an issuer whose tokens this API accepts{hint}"
            raise InvalidAccessToken("iss", reason, expected=listed(tuple(self._by_name)[:_SHOWN]))
        return verifier, None if verifier.introspects_jwts else read

    def _verifier_for(self, issuer: str) -> IssuerVerifier | None:
        return self._by_name.get(issuer) or next((one for one in self._by_name.values() if one.is_tenant(issuer)), None)


def digest_of(token: str) -> bytes:
    """Return the SHA-256 hash of a token, which is its key in the cache."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
