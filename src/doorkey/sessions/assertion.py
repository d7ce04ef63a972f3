"""Sessions of service accounts, which sign their own assertions to get a token (RFC 7521 §4.1, RFC 7523 §2.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from doorkey.arguments import mapping, seconds
from doorkey.errors import UsageError
from doorkey.sessions.client import OAuth2Client

if TYPE_CHECKING:
    from doorkey.sessions.core import SessionCore
    from doorkey.values import Secret

LIFETIME: Final = 3600.0
"""Default lifetime of an assertion in seconds. Servers bound it too."""

# Modules that only a session needs are imported when one is constructed, as in `doorkey.sessions.client`.


class AssertionClient(OAuth2Client):
    """A client that gets its token with a freshly signed assertion each time (RFC 7523 §2.1).

    token_endpoint (or token_url): URL of the token endpoint.
    issuer: `iss` of the assertion.
    subject: `sub` of the assertion; None omits it.
    audience: `aud` of the assertion; None: the token endpoint.
    grant_type: the JWT bearer grant, the only one there is.
    claims: further claims; they replace the other ones.
    key: the private key, as PEM, JWK or key object.
    header: the JOSE header, with `alg` (default RS256) and, where the server needs it, `kid`.
    alg: `alg` of the header.
    issued_at: `iat` of the assertion in seconds since the epoch; None: the time of each token request.
    expires_in: lifetime of each assertion in seconds; None: 3600.
    expires_at: `exp` of the assertion in seconds since the epoch, in place of `expires_in`. No token can be requested
        after it.
    client_id, client_secret: authenticate the client, for a server that requires this too.

    The other options are those of the session it is joined with. Raises `UsageError`.
    """

    JWT_BEARER_GRANT_TYPE: ClassVar[str] = "urn:ietf:params:oauth:grant-type:jwt-bearer"

    def _start(self, given: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        """Construct the session with `options`; `given` are the arguments of the concrete class's constructor."""
        from doorkey.protocol.grants import SelfSignedGrant
        from doorkey.sources.token_client import load_signing
        from doorkey.wire.limits import policy_of
        from doorkey.wire.urls import check_endpoint

        endpoint = given["token_url"] or given["token_endpoint"]
        if not endpoint:
            raise UsageError("give the token endpoint's url as token_endpoint= (or token_url=)")
        if given["grant_type"] not in (None, self.JWT_BEARER_GRANT_TYPE):
            raise UsageError(f"an assertion session signs JWTs: its grant_type is {self.JWT_BEARER_GRANT_TYPE}")
        if not (given["issuer"] and given["key"]):
            raise UsageError("an assertion needs an issuer and a key to sign with")
        alg, hosts = given["alg"], policy_of(options.get("exchange")).http_hosts
        maker = AssertionMaker(
            issuer=given["issuer"],
            key=given["key"],
            subject=given["subject"],
            audience=given["audience"] or check_endpoint(endpoint, "token endpoint", hosts),
            claims=dict(mapping(given["claims"] or {}, "claims")),
            header={**mapping(given["header"] or {}, "header"), **({} if alg is None else {"alg": alg})},
            issued_at=given["issued_at"],
            expires_at=given["expires_at"],
            expires_in=given["expires_in"],
        )
        session: Any = super()  # the session that a concrete class joins this with
        session.__init__(
            token_endpoint=endpoint,
            token_placement=given["token_placement"],
            scope=given["scope"],
            leeway=given["leeway"],
            **options,
        )
        self._oauth.initial_grant = SelfSignedGrant(partial(_signed, maker, self._oauth))
        load_signing()


@dataclass(frozen=True, slots=True, kw_only=True)
class AssertionMaker:
    """Signs a fresh assertion for each token request, with a `jti` of its own; see `AssertionClient` for the fields."""

    issuer: str
    key: object = field(repr=False)
    audience: str
    subject: str | None = None
    claims: Mapping[str, Any] = field(default_factory=dict[str, Any])
    header: Mapping[str, Any] = field(default_factory=dict[str, Any])
    issued_at: float | None = None
    expires_at: float | None = None
    expires_in: float | None = None

    def __post_init__(self) -> None:
        for name, least in (("issued_at", 0.0), ("expires_at", 0.0), ("expires_in", 1.0)):
            if getattr(self, name) is not None:
                seconds(getattr(self, name), name, least=least)
        if self.expires_at is not None and self.expires_in is not None:
            raise UsageError("expires_at= and expires_in= both say when an assertion expires: give one of them")

    def signed(self, now: float) -> Secret:
        """Return the assertion for a request at `now`, in seconds since the epoch.

        Raises `UsageError` for a key that cannot sign it, and after `expires_at`.
        """
        import secrets

        from doorkey.jose.signing import sign
        from doorkey.values import Secret

        if self.expires_at is not None and now >= self.expires_at:
            raise UsageError("the assertion's expires_at= is in the past: give expires_in=, which each request counts")
        issued_at = int(now if self.issued_at is None else self.issued_at)
        lifetime = LIFETIME if self.expires_in is None else self.expires_in
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": self.audience,
            "iat": issued_at,
            "exp": int(issued_at + lifetime if self.expires_at is None else self.expires_at),
            "jti": secrets.token_urlsafe(24),
            **({"sub": self.subject} if self.subject is not None else {}),
            **self.claims,
        }
        header = dict(self.header)
        return Secret(sign(claims, self.key, alg=str(header.pop("alg", "RS256")), header=header))


def _signed(maker: AssertionMaker, core: SessionCore) -> Secret:
    return maker.signed(core.options.clock())
