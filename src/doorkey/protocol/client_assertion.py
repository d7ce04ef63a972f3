"""Client authentication by a signed assertion (RFC 7523 §2.2, §3; OpenID Connect Core §9)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import ClassVar, Final

from doorkey.errors import UsageError
from doorkey.protocol.client_identity import ClientIdentity, Headers, Signed
from doorkey.protocol.client_parameters import add_assertion
from doorkey.values import hides_locals

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFETIME: Final = 60
"""Seconds an assertion is valid: enough for one request and clocks that differ a little."""

_CURVES: Final = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "EdDSA"}


class _SignedAssertion:
    """The base of both methods.

    `token_endpoint` (or `audience`) is the assertion's `aud`; it defaults to the issuer if the session knows it,
    else to the endpoint of the request. `claims` and `headers` are added, `alg` is a JWS algorithm, `key` replaces the
    client's secret. Every assertion has a fresh `jti` and expires after a minute.
    `allow_short_secret`: sign with a secret that is shorter than the hash, because the server chose it.
    """

    name: ClassVar[str]
    default_alg: ClassVar[str]

    def __init__(
        self,
        token_endpoint: str | None = None,
        claims: Mapping[str, object] | None = None,
        headers: Mapping[str, object] | None = None,
        alg: str | None = None,
        *,
        audience: str | None = None,
        key: object = None,
        allow_short_secret: bool = False,
    ) -> None:
        self._audience = audience or token_endpoint
        self._claims = dict(claims or {})
        self._headers = dict(headers or {})
        self._alg = alg
        self._key = key
        self._allow_short_secret = allow_short_secret

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._alg or self.default_alg}>"

    @hides_locals
    def __call__(self, client: ClientIdentity, method: str, uri: str, headers: Headers, body: str) -> Signed:
        """Return the request with an assertion in its body. Raises `UsageError` for a key that does not fit."""
        from doorkey.jose.signing import sign  # loaded only by clients that sign

        if method == "GET":
            raise UsageError("a client assertion travels in a body: use POST")
        key = self._key if self._key is not None else client.client_secret
        if not key:
            raise UsageError(f"{self.name} needs a key: give it as client_secret, or as key=…")
        issued = int(client.now)
        claims: dict[str, object] = {
            **self._claims,
            "iss": client.client_id,
            "sub": client.client_id,
            "aud": self._audience or client.audience,
            "iat": issued,
            "exp": issued + LIFETIME,
            "jti": secrets.token_urlsafe(24),
        }
        header, alg = self._header_and_alg(key)
        try:
            assertion = sign(claims, key, alg=alg, header=header, allow_short_secret=self._allow_short_secret)
        except UsageError as error:
            if "needs a secret of at least" not in error.description:
                raise
            hint = f"{type(self).__name__}(allow_short_secret=True) signs with a shorter one that the server chose"
            raise UsageError(f"{error.description}; {hint}") from None
        return uri, headers, add_assertion(body, ASSERTION_TYPE, assertion, client.client_id, uri)

    def _header_and_alg(self, key: object) -> tuple[dict[str, object], str]:
        jwk = _as_jwk(key)
        header = dict(self._headers)
        if "kid" in jwk:
            header.setdefault("kid", jwk["kid"])
        alg = self._alg or header.pop("alg", None) or jwk.get("alg") or _CURVES.get(str(jwk.get("crv")))
        return header, str(alg or self.default_alg)


class ClientSecretJWT(_SignedAssertion):
    """`client_secret_jwt`: signed with the client's secret, HS256 unless `alg` says otherwise."""

    name = "client_secret_jwt"
    default_alg = "HS256"


class PrivateKeyJWT(_SignedAssertion):
    """`private_key_jwt`: signed with the client's private key, RS256 unless `alg` or the key says otherwise."""

    name = "private_key_jwt"
    default_alg = "RS256"


def _as_jwk(key: object) -> Mapping[str, object]:
    """Return the members of a key that is a JWK (mapping or JSON text), else nothing."""
    if isinstance(key, Mapping):
        return key  # pyright: ignore[reportUnknownVariableType]  # a user's JWK
    if isinstance(key, str) and key.lstrip().startswith("{"):
        try:
            members = json.loads(key)
        except ValueError:
            return {}
        return members if isinstance(members, dict) else {}  # pyright: ignore[reportUnknownVariableType]
    return {}
