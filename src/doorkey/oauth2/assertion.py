"""Service accounts: a session that signs its own assertions gets its token by itself (RFC 7521 §4.1, RFC 7523 §2.1)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from doorkey.errors import UsageError
from doorkey.oauth2.core import Asking
from doorkey.protocol.endpoint import check_endpoint
from doorkey.protocol.grants import JWT_BEARER, JWTBearerGrant
from doorkey.protocol.parameters import pairs_of
from doorkey.values import Scope, Secret

LIFETIME: Final = 3600
"""Seconds an assertion is valid unless its claims say otherwise; servers bound it themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssertionMaker:
    """Makes a fresh assertion whenever a token is asked for: with its own `jti`, signed by `key`.

    `subject` is left out of the claims where it is None; `audience` is the token endpoint unless given; `claims` are
    added and win; `header` holds `alg` (RS256 where it does not) and, where the server needs it, `kid`. `scope` is a
    parameter of the request; servers that want it in the assertion get it by `claims`.
    """

    token_endpoint: str
    issuer: str
    key: object = field(repr=False)
    subject: str | None = None
    audience: str | None = None
    claims: Mapping[str, Any] = field(default_factory=dict[str, Any])
    header: Mapping[str, Any] = field(default_factory=dict[str, Any])
    grant_type: str = JWT_BEARER
    scope: str | list[str] | tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check_endpoint(self.token_endpoint, "token endpoint")
        if self.grant_type != JWT_BEARER:
            raise UsageError(f"an assertion session signs JWTs: its grant_type is {JWT_BEARER}")
        if not (self.issuer and self.key):
            raise UsageError("an assertion needs an issuer and a key to sign with")

    def asking(self, clock: Callable[[], float]) -> Asking:
        """Return how to ask for a token now; `clock` returns seconds since the epoch."""
        from doorkey.jose.signing import sign

        now = int(clock())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": self.audience or self.token_endpoint,
            "iat": now,
            "exp": now + LIFETIME,
            "jti": secrets.token_urlsafe(24),
            **({"sub": self.subject} if self.subject is not None else {}),
            **self.claims,
        }
        header = dict(self.header)
        assertion = sign(claims, self.key, alg=str(header.pop("alg", "RS256")), header=header)
        scope = str(Scope.of(self.scope)) or None
        return Asking(self.token_endpoint, JWTBearerGrant(Secret(assertion)), pairs_of({"scope": scope}))


def maker_of(given: dict[str, Any]) -> AssertionMaker:
    """Take the options of the assertion out of `given`, and return what makes it.

    `token_url` is another name of `token_endpoint`, `alg` of the header's. Raises `UsageError` for what is missing.
    """
    endpoint = given.pop("token_url", None) or given.get("token_endpoint")
    if not endpoint:
        raise UsageError("give the token endpoint's url as token_endpoint= (or token_url=)")
    given["token_endpoint"] = endpoint
    header = dict(given.pop("header", None) or {})
    alg = given.pop("alg", None)
    if alg is not None:
        header["alg"] = alg
    own = {name: given.pop(name, None) for name in ("issuer", "key", "subject", "audience", "claims", "grant_type")}
    return AssertionMaker(
        token_endpoint=endpoint,
        header=header,
        scope=given.get("scope"),
        issuer=own["issuer"] or "",
        key=own["key"],
        subject=own["subject"],
        audience=own["audience"],
        claims=dict(own["claims"] or {}),
        grant_type=own["grant_type"] or JWT_BEARER,
    )
