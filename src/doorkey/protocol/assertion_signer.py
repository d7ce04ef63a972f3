"""Signs the assertions of a client with a private key, a shared secret, or a callable that uses a KMS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from doorkey.arguments import flag, function, mapping, text
from doorkey.errors import UsageError
from doorkey.protocol.cached_key import CachedKey
from doorkey.values import hides_locals

if TYPE_CHECKING:
    from doorkey.jose.keys import Key
    from doorkey.jose.signers import Signer
    from doorkey.wire.flow import Flow


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AssertionSigner:
    """Signs assertions.

    key: a private key (PEM, JWK or key object), or with `is_secret` a shared secret.
    signer: in place of the key, a callable that gets the bytes to sign and returns the signature.
    alg: the JWS algorithm; None: that of `headers`, else an algorithm that fits the key.
    kid: the `kid` of the header; None: that of `headers`, else that of the key.
    headers: further members of the JOSE header.
    is_secret: True if the key is a shared secret.
    thumbprint_kid: True to use the thumbprint of a key without a `kid` as its `kid` (RFC 7638).
    allow_short_secret: True to sign with a secret that is shorter than the hash.

    Raises `UsageError` for invalid options.
    """

    key: object = None
    signer: Signer | None = None
    alg: str | None = None
    kid: str | None = None
    headers: Mapping[str, object] = field(default_factory=dict[str, object])
    is_secret: bool = False
    thumbprint_kid: bool = False
    allow_short_secret: bool = False
    keys: CachedKey = field(default_factory=CachedKey, init=False, compare=False)

    def __post_init__(self) -> None:
        header: dict[str, Any] = dict(mapping(self.headers, "the header of an assertion"))
        own_alg = header.pop("alg", None)
        alg = own_alg if self.alg is None else self.alg
        if alg is not None:
            text(alg, "alg")
        if self.kid is not None:
            header["kid"] = text(self.kid, "kid")
        object.__setattr__(self, "alg", alg)
        object.__setattr__(self, "headers", header)
        flag(self.thumbprint_kid, "thumbprint_kid")
        if self.signer is not None:
            self._check_signer()

    def _check_signer(self) -> None:
        function(self.signer, "signer= must be a callable that gets the bytes to sign and returns the signature")
        if self.key is not None:
            raise UsageError("key= and signer= both sign an assertion: give one of them")
        if self.alg is None:
            raise UsageError("signer= needs alg=, the algorithm of its key, for instance alg='ES256'")
        if self.thumbprint_kid:
            raise UsageError("thumbprint_kid= needs the key itself: with signer=, give kid= instead")

    @hides_locals
    def sign(self, claims: Mapping[str, object], key: Key | None = None, supported: object = None) -> str | Flow[str]:
        """Return a signed assertion of `claims`, or a flow that calls the signer and returns the assertion.

        key: a key to use in place of the configured one.
        supported: the algorithms that the server lists.

        Raises `UsageError` for a key that does not fit, and `TransportError` for an error of the signer.
        """
        from doorkey.jose.signers import sign_by_key, sign_by_signer  # loaded only by clients that sign

        if self.signer is not None:
            assert self.alg is not None, "checked at construction"
            return sign_by_signer(claims, self.signer, alg=self.alg, header=self.headers)
        return sign_by_key(
            claims,
            self.keys.of(self.key) if key is None else key,
            alg=self.alg,
            header=self.headers,
            supported=supported,
            is_secret=self.is_secret,
            thumbprint_kid=self.thumbprint_kid,
            allow_short_secret=self.allow_short_secret,
        )
