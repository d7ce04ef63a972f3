"""Client authentication by a signed assertion (RFC 7523 §2.2, §3; OpenID Connect Core §9)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Final

from doorkey.arguments import mapping, text
from doorkey.errors import OAuthError, UsageError
from doorkey.protocol.assertion_signer import AssertionSigner
from doorkey.protocol.client_identity import ClientIdentity, Headers, Signed
from doorkey.protocol.client_parameters import add_assertion
from doorkey.values import hides_locals, without_frames

if TYPE_CHECKING:
    from doorkey.jose.keys import Key
    from doorkey.jose.signers import Signer
    from doorkey.wire.flow import Flow

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFETIME: Final = 60
"""Seconds for which an assertion is valid: enough for one request and a small clock skew."""


class _SignedAssertion:
    """The base class of both methods. It builds the claims of an assertion, and adds the assertion to a request."""

    name: ClassVar[str]

    def __init__(self, audience: str | None, claims: Mapping[str, object] | None, signer: AssertionSigner) -> None:
        self._audience = None if audience is None else text(audience, "audience")
        self._signer = signer
        self._claims = dict(mapping({} if claims is None else claims, "claims of a client assertion"))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}{f' {self._signer.alg}' if self._signer.alg else ''}>"

    @hides_locals
    def __call__(
        self, client: ClientIdentity, method: str, uri: str, headers: Headers, body: str
    ) -> Signed | Flow[Signed]:
        """Return the request with an assertion in its body, or a flow that returns it, if a signer signs.

        client: the client's ID and credential.
        method, uri, headers, body: the HTTP method, the URL, the headers and the body of the request.

        Raises `UsageError` if the method is GET, or if the key is missing or unsuitable.
        """
        if method == "GET":
            raise UsageError("a client assertion is sent in the request body, which a GET does not have: use POST")
        key = None
        if self._signer.signer is None and self._signer.key is None:
            if not client.client_secret:
                raise UsageError(f"{self.name} needs a key: give it as client_secret, or as key=…")
            key = client.keys.of(client.client_secret)
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
        assertion = self._signed(claims, key, client.signing_algs)
        if not isinstance(assertion, str):
            return _with_signed(assertion, client, uri, headers, body)
        return uri, headers, add_assertion(body, ASSERTION_TYPE, assertion, client.client_id, uri)

    def _signed(self, claims: Mapping[str, object], key: Key | None, supported: object) -> str | Flow[str]:
        try:
            return self._signer.sign(claims, key, supported)
        except UsageError as error:
            from doorkey.jose.keys import ShortSecretError  # loaded only by clients that sign

            if not isinstance(error, ShortSecretError):
                raise
            hint = f"{type(self).__name__}(allow_short_secret=True) signs with a shorter one that the server chose"
            raise UsageError(f"{error.description}; {hint}") from None


def _with_signed(assertion: Flow[str], client: ClientIdentity, uri: str, headers: Headers, body: str) -> Flow[Signed]:
    try:
        return uri, headers, add_assertion(body, ASSERTION_TYPE, (yield from assertion), client.client_id, uri)
    except OAuthError as error:
        del headers, body  # this frame is in the traceback
        raise without_frames(error)  # noqa: B904  # it is the error that was raised


class ClientSecretJWT(_SignedAssertion):
    """`client_secret_jwt`: an assertion that is signed with the client's secret.

    token_endpoint, audience: the `aud` of the assertion; `audience` has priority. None: the issuer if it is known, else
        the token endpoint if it is at the origin of the request, else the URL of the request.
    claims: further claims. They cannot replace `iss`, `sub`, `aud`, `iat`, `exp` and `jti`.
    headers: further members of the JOSE header.
    alg: the HMAC algorithm; None: the first of HS256, HS384 and HS512 that the server's metadata lists, else HS256.
    key: the secret; None: the client's.
    allow_short_secret: True to sign with a secret that is shorter than the hash, because the server chose it.

    Every assertion has a new `jti` and expires after a minute. Raises `UsageError` for invalid arguments.
    """

    name = "client_secret_jwt"

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
        signer = AssertionSigner(
            key=key,
            alg=alg,
            headers={} if headers is None else headers,
            is_secret=True,
            allow_short_secret=allow_short_secret,
        )
        super().__init__(audience or token_endpoint, claims, signer)


class PrivateKeyJWT(_SignedAssertion):
    """`private_key_jwt`: an assertion that is signed with the client's private key, or by a KMS that has it.

    token_endpoint, audience: the `aud` of the assertion; `audience` has priority. None: the issuer if it is known, else
        the token endpoint if it is at the origin of the request, else the URL of the request.
    claims: further claims. They cannot replace `iss`, `sub`, `aud`, `iat`, `exp` and `jti`.
    headers: further members of the JOSE header.
    alg: the JWS algorithm; None: an algorithm that fits the key and that the server's metadata lists, such as ES256 for
        P-256, EdDSA for Ed25519, RS256 or PS256 for RSA.
    key: the private key (PEM, JWK or key object); None: the client's.
    signer: in place of a key, ``signer(data) -> signature`` signs by `alg` with a key in a KMS. The signature of an
        ECDSA key is R and S, not DER (RFC 7518 §3.4). It may be a coroutine function for an asynchronous client.
    kid: the `kid` of the header; None: that of the key.
    thumbprint_kid: True to use the thumbprint of a key without a `kid` as its `kid` (RFC 7638).

    Every assertion has a new `jti` and expires after a minute. Raises `UsageError` for invalid arguments.
    """

    name = "private_key_jwt"

    def __init__(
        self,
        token_endpoint: str | None = None,
        claims: Mapping[str, object] | None = None,
        headers: Mapping[str, object] | None = None,
        alg: str | None = None,
        *,
        audience: str | None = None,
        key: object = None,
        signer: Signer | None = None,
        kid: str | None = None,
        thumbprint_kid: bool = False,
    ) -> None:
        assertion_signer = AssertionSigner(
            key=key,
            signer=signer,
            alg=alg,
            kid=kid,
            headers={} if headers is None else headers,
            thumbprint_kid=thumbprint_kid,
        )
        super().__init__(audience or token_endpoint, claims, assertion_signer)
