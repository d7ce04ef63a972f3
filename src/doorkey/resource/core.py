"""How an access token is verified, as flows: at its issuer alone, by its signature or by introspection.

Theory of operation. The `iss` claim of a JWT chooses the issuer before anything is verified; it chooses among the
issuers that the program has listed, so a token cannot cause a request to another server. Everything that follows is
separate for each issuer: its keys, its audience, its profile, and its introspection. Only tokens that passed all checks
are kept, by the hash of the token, and not beyond their expiry. The requirement and the binding of the request at hand
are checked each time.

An error about the token is a `RequestRejected`. Any other error says that the token could not be checked, and then no
request is permitted.
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
"""Issuers in a message."""
_NO_INTROSPECTION: Final = "; tokens that are not JWTs need introspection="


@dataclass(frozen=True, slots=True)
class AtIssuer(Effect[T]):
    """Ask for the result of `flow`, whose requests go through the HTTP client of `issuer`."""

    issuer: Issuer
    flow: Flow[T]


class IssuerVerifier:
    """Verifies the tokens of one issuer, `trusted`; `issuer` is its value with metadata and keys."""

    def __init__(self, trusted: TrustedIssuer, issuer: Issuer, *, clock: Clock, leeway: float, entries: int) -> None:
        self.issuer, self.name = issuer, issuer.issuer
        self._clock, self._leeway = clock, leeway
        self._profile = cast("TokenProfile", trusted.profile)
        self._audience = cast("tuple[str, ...]", trusted.audience)
        self._algorithms = cast("tuple[str, ...]", trusted.algorithms)
        self._options = options = trusted.introspection
        self._tenants = trusted.tenant_issuer
        self.takes_opaque = options is not None and options.opaque
        self.takes_jwts = options is not None and options.jwts
        self._introspector: Introspector | None = None
        if options is not None:
            self._introspector = Introspector(
                options, issuer._core, issuer._server, self._audience, clock=clock, leeway=leeway, entries=entries
            )

    def by_signature(self, token: UnverifiedToken) -> Flow[AccessToken]:
        """Return a JWT access token that has passed all checks. Raises `InvalidAccessToken`, or why it has no keys."""
        judged: list[Keys] = []

        def check(keys: Keys) -> VerifiedToken:
            judged.append(keys)
            verified = verify(token, keys, algorithms=self._algorithms)
            check_jwt(verified.header, verified.claims, self._profile, **self._use(verified.claims))
            return verified

        try:
            verified = yield from self.issuer._core.keys.checked(check, self._clock)
        except RequestRejected:
            raise
        except VerificationError as error:
            if not judged:
                raise  # the server's metadata is not good
            unavailable = error.__cause__
            if isinstance(unavailable, OAuthError):  # newer keys may verify the token
                raise unavailable.for_waiter() from None
            raise InvalidAccessToken(error.claim, error.reason, expected=error.expected) from None
        return self._made(verified.claims)

    def by_introspection(self, token: str, digest: bytes) -> Flow[tuple[AccessToken, float]]:
        """Return a token that the issuer calls active, and until when that may be used again.

        Raises `InvalidAccessToken`, else as `Introspector.members`.
        """
        assert self._introspector is not None, "the caller has chosen an issuer that is asked"
        assert self._options is not None, "it made the introspector"
        kept = yield from self._introspector.members(token, digest)
        members = kept.value
        if members["active"] is not True:
            raise InvalidAccessToken("active", "is false: the token is expired, revoked or unknown to its issuer")
        check_introspected(members, self._profile)
        check_use(members, **self._use(members), audience_required=self._options.audience_required)
        return self._made(members), kept.fresh_until

    def has(self, issuer: str) -> bool:
        """Return whether `issuer` is that of a tenant of this multi-tenant server."""
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
        """Return the issuer of a token: that of its tenant, where a policy for tenants has accepted it."""
        return self.name if self._tenants is None else claims.get("iss", self.name)

    def _made(self, claims: Mapping[str, Any]) -> AccessToken:
        return access_token_of(self._issuer_of(claims), claims, self._profile)


class VerifierCore:
    """Verifies access tokens of several issuers, each at its own; see the theory of operation above.

    `clock` returns seconds since the epoch. `entries` tokens are kept, each for `cache_for` seconds at most.
    """

    def __init__(
        self, verifiers: Collection[IssuerVerifier], *, clock: Clock, leeway: float, entries: int, cache_for: float
    ) -> None:
        self._by_name = {one.name: one for one in verifiers}
        if not verifiers or len(self._by_name) < len(verifiers):
            raise UsageError("issuer= names no issuer, or one of them twice")
        opaque = [one for one in verifiers if one.takes_opaque]
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
        """Return the token with this hash if it has been verified before and is still valid."""
        return self._cache.get(digest, self.clock())

    def verified(self, token: str) -> Flow[AccessToken]:
        """Return a token that is valid now. Raises `InvalidAccessToken`, or why the token could not be checked."""
        digest = digest_of(token)
        return self.cached(digest) or (yield from self.checked(token, digest))

    def checked(self, token: str, digest: bytes) -> Flow[AccessToken]:
        """Return a token that has been checked now. Raises as `verified`; `digest` is its hash."""
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
        """Return the issuer of `token`, and the token to be verified; None if its issuer is asked about it."""
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
        verifier = self._named(issuer) if isinstance(issuer, str) else None
        if verifier is None:
            if issuer is None and self._opaque is not None:
                return self._opaque, None
            hint = next(filter(None, (how_issuers_differ(issuer, known) for known in self._by_name)), "")
            told = f"is not an issuer whose tokens this API accepts{hint}"
            raise InvalidAccessToken("iss", told, expected=listed(tuple(self._by_name)[:_SHOWN]))
        return verifier, None if verifier.takes_jwts else read

    def _named(self, issuer: str) -> IssuerVerifier | None:
        return self._by_name.get(issuer) or next((one for one in self._by_name.values() if one.has(issuer)), None)


def digest_of(token: str) -> bytes:
    """Return the hash under which a token is kept."""
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
