"""Service accounts: a session that signs its own assertions gets its token by itself (RFC 7521 §4.1, RFC 7523 §2.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from doorkey.arguments import mapping
from doorkey.errors import UsageError
from doorkey.sessions.client import OAuth2Client

if TYPE_CHECKING:
    from doorkey.sessions.core import SessionCore
    from doorkey.values import Secret

LIFETIME: Final = 3600
"""Seconds an assertion is valid unless its claims say otherwise; servers bound it themselves."""

# What only a session needs is imported when one is made, as in `doorkey.sessions.client`.


class AssertionClient(OAuth2Client):
    """A client that gets its token by itself, with a fresh signed assertion each time (RFC 7523 §2.1).

    `token_endpoint` (or `token_url`) is where it asks; `issuer`, `subject`, `audience` (else the token endpoint) and
    `claims` are the assertion's claims; `key` (PEM, JWK or key object) signs it, with the `alg` and `kid` of `header`.
    `client_id` and `client_secret` authenticate the client where the server wants that too. The other options are those
    of the session it is joined with. Raises `UsageError`.
    """

    JWT_BEARER_GRANT_TYPE: ClassVar[str] = "urn:ietf:params:oauth:grant-type:jwt-bearer"

    def __init__(
        self,
        token_endpoint: str | None = None,
        issuer: str | None = None,
        subject: str | None = None,
        audience: str | None = None,
        grant_type: str | None = None,
        claims: Mapping[str, Any] | None = None,
        token_placement: str = "header",
        scope: str | Iterable[str] | None = None,
        leeway: float | None = None,
        *,
        token_url: str | None = None,
        key: Any = None,
        header: Mapping[str, Any] | None = None,
        alg: str | None = None,
        **options: Any,
    ) -> None:
        from doorkey.protocol.grants import SelfSignedGrant
        from doorkey.runtime.preload import signing
        from doorkey.wire.urls import check_endpoint

        endpoint = token_url or token_endpoint
        if not endpoint:
            raise UsageError("give the token endpoint's url as token_endpoint= (or token_url=)")
        if grant_type not in (None, self.JWT_BEARER_GRANT_TYPE):
            raise UsageError(f"an assertion session signs JWTs: its grant_type is {self.JWT_BEARER_GRANT_TYPE}")
        if not (issuer and key):
            raise UsageError("an assertion needs an issuer and a key to sign with")
        maker = AssertionMaker(
            issuer=issuer,
            key=key,
            subject=subject,
            audience=audience or check_endpoint(endpoint, "token endpoint"),
            claims=dict(mapping(claims or {}, "claims")),
            header={**mapping(header or {}, "header"), **({} if alg is None else {"alg": alg})},
        )
        session: Any = super()  # the session, which a concrete class joins in
        session.__init__(
            token_endpoint=endpoint, token_placement=token_placement, scope=scope, leeway=leeway, **options
        )
        self._oauth.initial_grant = SelfSignedGrant(partial(_signed, maker, self._oauth))
        signing()


@dataclass(frozen=True, slots=True, kw_only=True)
class AssertionMaker:
    """Makes a fresh assertion whenever a token is asked for: with its own `jti`, signed by `key`.

    `subject` is left out of the claims where it is None; `claims` are added and win; `header` holds `alg` (RS256 where
    it does not) and, where the server needs it, `kid`.
    """

    issuer: str
    key: object = field(repr=False)
    audience: str
    subject: str | None = None
    claims: Mapping[str, Any] = field(default_factory=dict[str, Any])
    header: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def signed(self, now: float) -> Secret:
        """Return the assertion of this moment, in seconds since the epoch. Raises `UsageError` where `key` cannot."""
        import secrets

        from doorkey.jose.signing import sign
        from doorkey.values import Secret

        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": self.audience,
            "iat": int(now),
            "exp": int(now) + LIFETIME,
            "jti": secrets.token_urlsafe(24),
            **({"sub": self.subject} if self.subject is not None else {}),
            **self.claims,
        }
        header = dict(self.header)
        return Secret(sign(claims, self.key, alg=str(header.pop("alg", "RS256")), header=header))


def _signed(maker: AssertionMaker, core: SessionCore) -> Secret:
    return maker.signed(core.options.clock())
