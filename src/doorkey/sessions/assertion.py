"""Sessions of service accounts, which sign their own assertions to get a token (RFC 7521 §4.1, RFC 7523 §2.1)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from doorkey.arguments import mapping, seconds
from doorkey.errors import UsageError
from doorkey.sessions.client import OAuth2Client
from doorkey.values import clears_locals

if TYPE_CHECKING:
    from doorkey.protocol.assertion_signer import AssertionSigner
    from doorkey.sessions.core import SessionCore
    from doorkey.sources.issuer import Issuer
    from doorkey.wire.flow import Flow

LIFETIME: Final = 60.0
"""Default lifetime of an assertion in seconds. It allows for one request and some clock skew."""

_NO_SERVER: Final = (
    "the authorization server is missing: give the token endpoint's url as token_endpoint= (or token_url=), or the "
    "server's URL as issuer="
)

# Modules that only a session needs are imported when one is constructed, as in `doorkey.sessions.client`.


class AssertionClient(OAuth2Client):
    """A client that signs a new assertion for each token request (RFC 7523 §2.1).

    token_endpoint, token_url: two names of one option, the URL of the token endpoint.
    issuer: `iss` of the assertion. Without a token endpoint, or in addition to `assertion_issuer`, it is instead the
        authorization server, a URL or an `Issuer`, whose metadata is discovered on first use.
    assertion_issuer: `iss` of the assertion; None: `issuer`, or the `client_id` if `issuer` is the server.
    subject: `sub` of the assertion; None omits it.
    audience: `aud` of the assertion; None: the issuer of the server if it is known, else the token endpoint.
    grant_type: None, or the JWT bearer grant, the only supported value.
    claims: further claims, which replace those above.
    key: the private key, as PEM, JWK or key object.
    signer: in place of a key, ``signer(data) -> signature`` signs by `alg` with a key in a KMS. An ECDSA signature must
        be the concatenation of R and S, not DER (RFC 7518 §3.4). On an asynchronous client, it may be a coroutine
        function.
    alg: JWS algorithm; None: that of `header`, else the algorithm that fits the key.
    kid: `kid` of the JOSE header; None: that of `header`, else that of the key.
    thumbprint_kid: True to use the thumbprint of the key as `kid` if it has none (RFC 7638).
    header: further members of the JOSE header.
    issued_at: `iat` of the assertion in seconds since the epoch; None: the time of each token request.
    expires_in: lifetime of each assertion in seconds; None: 60.
    expires_at: `exp` of the assertion in seconds since the epoch, in place of `expires_in`. No token can be requested
        after it.
    client_id, client_secret: credentials of the client, for a server that requires client authentication too.

    The other options are those of the session class that it is combined with. Raises `UsageError`.
    """

    JWT_BEARER_GRANT_TYPE: ClassVar[str] = "urn:ietf:params:oauth:grant-type:jwt-bearer"

    @classmethod
    @clears_locals
    def _from_file(
        cls,
        path: str | os.PathLike[str],
        issuer: str | Issuer | None,
        scope: str | Iterable[str] | None,
        subject: str | None,
        given: Mapping[str, Any],
    ) -> Self:
        """Return a client for the service account of a key file. `from_file` of each concrete class calls it.

        given: the other options of the constructor.
        """
        from doorkey.sessions.key_file import account_in
        from doorkey.values import Scope

        options = dict(given)
        account = account_in(path, needs_token_uri=issuer is None)
        server: dict[str, Any] = {"token_endpoint": account.token_uri, "issuer": account.client_email}
        if issuer is not None:
            server = {"issuer": issuer, "assertion_issuer": account.client_email, "scope": scope}
        if scope is not None:
            options["claims"] = {"scope": str(Scope.of(scope)), **mapping(options.get("claims") or {}, "claims")}
        own: Any = {"kid": account.private_key_id, **server, **options, "subject": subject, "key": account.key}
        return cls(**own)

    def _start(self, given: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        """Construct the session with `options`. `given` contains the arguments of the concrete class's constructor."""
        from doorkey.protocol.assertion_signer import AssertionSigner
        from doorkey.protocol.grants import SelfSignedGrant
        from doorkey.sources.token_client import load_signing

        endpoint = given["token_url"] or given["token_endpoint"]
        server, issuer = _server_and_issuer(given, endpoint, options)
        if given["grant_type"] not in (None, self.JWT_BEARER_GRANT_TYPE):
            raise UsageError(f"an assertion session signs JWTs: its grant_type is {self.JWT_BEARER_GRANT_TYPE}")
        if not given["key"] and given["signer"] is None:
            raise UsageError("an assertion needs a key to sign with: give key=, or signer= for a key in a KMS")
        maker = AssertionMaker(
            issuer=issuer,
            subject=given["subject"],
            claims=dict(mapping(given["claims"] or {}, "claims")),
            issued_at=given["issued_at"],
            expires_at=given["expires_at"],
            expires_in=given["expires_in"],
            audience=given["audience"],
            signer=AssertionSigner(
                headers=given["header"] or {},
                **{name: given[name] for name in ("key", "signer", "alg", "kid", "thumbprint_kid")},
            ),
        )
        session: Any = super()  # the session class that a concrete class combines this class with
        session.__init__(
            token_endpoint=endpoint,
            issuer=server,
            token_placement=given["token_placement"],
            scope=given["scope"],
            leeway=given["leeway"],
            **options,
        )
        self._oauth.initial_grant = SelfSignedGrant(partial(_signed, maker, self._oauth))
        load_signing()


def _server_and_issuer(given: Mapping[str, Any], endpoint: str | None, options: Mapping[str, Any]) -> tuple[Any, str]:
    """Return the authorization server, or None if `issuer` does not name it, and the `iss` of the assertions."""
    from doorkey.protocol.metadata import ServerMetadata
    from doorkey.wire.limits import policy_of

    named, iss, metadata = given["issuer"], given["assertion_issuer"], options.get("metadata")
    is_known = bool(endpoint or metadata or options.get("server_metadata_url"))
    is_text = named is None or isinstance(named, str)  # else an `Issuer`
    if not (is_known or (named and (not is_text or "://" in named))):
        raise UsageError(_NO_SERVER)  # a text without a scheme is the name of an account
    known = ServerMetadata.of(metadata, policy_of(options.get("exchange")).http_hosts)
    if iss is None and is_known and is_text and named != known.issuer:
        return None, _needed(named)
    return named, _needed(iss or options.get("client_id"))


def _needed(issuer: str | None) -> str:
    if not issuer:
        raise UsageError("an assertion needs an issuer, its `iss`: give assertion_issuer= (or client_id=)")
    return issuer


@dataclass(frozen=True, slots=True, kw_only=True)
class AssertionMaker:
    """Creates an assertion with a unique `jti` for each token request. See `AssertionClient` for the fields."""

    issuer: str
    signer: AssertionSigner = field(repr=False)
    audience: str | None = None
    subject: str | None = None
    claims: Mapping[str, Any] = field(default_factory=dict[str, Any])
    issued_at: float | None = None
    expires_at: float | None = None
    expires_in: float | None = None

    def __post_init__(self) -> None:
        for name, least in (("issued_at", 0.0), ("expires_at", 0.0), ("expires_in", 1.0)):
            if getattr(self, name) is not None:
                seconds(getattr(self, name), name, least=least)
        if self.expires_at is not None and self.expires_in is not None:
            raise UsageError("expires_at= and expires_in= both set the expiry of the assertion: give only one of them")

    def signed(self, now: float, audience: str | None) -> str | Flow[str]:
        """Return the assertion for a request at `now`, in seconds since the epoch, or a flow that returns it.

        `audience` is the default of its `aud`. Raises `UsageError` for a key that cannot sign it, and after
        `expires_at`.
        """
        import secrets

        if self.expires_at is not None and now >= self.expires_at:
            raise UsageError(
                "the assertion's expires_at= is in the past: give expires_in=, which counts from each token request"
            )
        issued_at = int(now if self.issued_at is None else self.issued_at)
        lifetime = LIFETIME if self.expires_in is None else self.expires_in
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": self.audience or audience,
            "iat": issued_at,
            "exp": int(issued_at + lifetime if self.expires_at is None else self.expires_at),
            "jti": secrets.token_urlsafe(24),
            **({"sub": self.subject} if self.subject is not None else {}),
            **self.claims,
        }
        return self.signer.sign(claims)


def _signed(maker: AssertionMaker, core: SessionCore) -> str | Flow[str]:
    audience = core.options.metadata.issuer or core.known_token_endpoint()
    return maker.signed(core.options.clock(), audience)
