"""`jwt.encode` and `jwt.decode`: signed tokens, with the names of Authlib (RFC 7515, RFC 7519).

Theory of operation. The token never chooses the algorithm (RFC 8725 §3.1). `JsonWebToken(["RS256"])` registers the
accepted ones. `jwt` registers none, so the keys determine them: a key verifies the algorithms that its type, curve,
`use` and `alg` allow. Plain bytes may be anything, for instance an error page that was fetched in place of keys. So
they are a shared secret only if an HMAC algorithm is registered. A plain str is never accepted as a secret.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar, cast, overload

from doorkey.arguments import mapping, members
from doorkey.errors import UsageError
from doorkey.jose.algorithms import ALGORITHMS
from doorkey.jose.claims import JWTClaims, Options
from doorkey.jose.encrypted_claims import decrypt_claims, encrypt_claims
from doorkey.jose.encryption import unsafe_encrypted_header
from doorkey.jose.encryption_algorithms import MANAGEMENT
from doorkey.jose.json_web_encryption import EncryptionAlgorithms
from doorkey.jose.key_choice import (
    EXPECTED,
    allowed_by,
    checked_with,
    chosen_keys,
    registered,
    signing_algorithm,
    signing_key,
    token_text,
    verifying_keys,
)
from doorkey.jose.key_sources import AsyncKeysOfIssuer, KeysOfIssuer
from doorkey.jose.signing import sign
from doorkey.jose.verification import unsafe_header, verify
from doorkey.values import Secret, clears_locals

_C = TypeVar("_C", bound=JWTClaims)
_Header = Mapping[str, Any]
Keys = Callable[[_Header], object] | object
"""Keys that verify, or a function that returns them: its own type tells type checkers the type of its argument."""

_TIMES: Final = ("exp", "iat", "nbf")


def _registered(algorithms: str | Iterable[str] | None) -> tuple[tuple[str, ...] | None, EncryptionAlgorithms | None]:
    """Return the signature algorithms, or the encryption algorithms, that the program registers."""
    if algorithms is None:
        return None, None
    names = (algorithms,) if isinstance(algorithms, str) else members(algorithms, EXPECTED)
    encryption = any(name in tuple(MANAGEMENT) for name in names)
    if encryption and any(name in tuple(ALGORITHMS) for name in names):
        raise UsageError(
            "algorithms names both signatures and encryption: encryption does not authenticate the sender of a token, "
            "so an encrypted token is never accepted in place of a signed one"
        )
    return (None, EncryptionAlgorithms(names)) if encryption else (registered(names), None)


class JsonWebToken:
    """Signs and verifies JWTs in the compact form, with the registered `algorithms` only.

    algorithms: names of signature algorithms such as `RS256`. None: the keys determine the algorithms. With names of
        key management algorithms instead (`["RSA-OAEP"]`, `["A256KW", "A256GCM"]`), the instance encrypts and decrypts
        (RFC 7516), and accepts no signed token. Encryption does not authenticate the sender of a token, because the
        encryption key is public.

    Raises `UsageError` for an unsupported algorithm, `none` included, and for a list of both kinds.
    """

    __slots__ = ("_algorithms", "_encryption")

    def __init__(self, algorithms: str | Iterable[str] | None = None) -> None:
        self._algorithms, self._encryption = _registered(algorithms)

    def __repr__(self) -> str:
        names = self._encryption.names if self._encryption else self._algorithms
        return f"<JsonWebToken {' '.join(names or ('by the keys',))}>"

    @clears_locals
    def encode(self, header: Mapping[str, Any], payload: Mapping[str, Any], key: object) -> bytes:
        """Return `payload` as a JWT that is signed with `key` by the `alg` of `header`.

        header: the protected header, with `alg`. If it has `enc`, the payload is encrypted and not signed.
        payload: the claims, as JSON values; `exp`, `iat` and `nbf` may be datetimes (without a zone: UTC).
        key: a private key or a secret, as `doorkey.jose.keys.import_key` reads it. Of several keys, the first that fits
            the header's `alg` and `kid` is used. For encryption, it is the recipient's public key or a secret.

        Raises `UsageError` if the key does not fit the algorithm, and for a payload that is not JSON.
        """
        mapping(header, "the header")
        mapping(payload, "the payload")
        claims = {name: _moment(value) if name in _TIMES else value for name, value in payload.items()}
        if "enc" in header or self._encryption:
            encryption = self._encryption or EncryptionAlgorithms(None)
            return encrypt_claims(claims, key, header, encryption).encode("ascii")
        alg = signing_algorithm(header, self._algorithms)
        return sign(claims, signing_key(key, alg, header), alg=alg, header=header).encode("ascii")

    @overload
    def decode(
        self,
        s: str | bytes | Secret,
        key: Keys,
        claims_cls: None = None,
        claims_options: Options | None = None,
        claims_params: Mapping[str, Any] | None = None,
    ) -> JWTClaims: ...
    @overload
    def decode(
        self,
        s: str | bytes | Secret,
        key: Keys,
        claims_cls: type[_C],
        claims_options: Options | None = None,
        claims_params: Mapping[str, Any] | None = None,
    ) -> _C: ...
    @clears_locals
    def decode(
        self,
        s: str | bytes | Secret,
        key: Keys,
        claims_cls: type[JWTClaims] | None = None,
        claims_options: Options | None = None,
        claims_params: Mapping[str, Any] | None = None,
    ) -> JWTClaims:
        """Return the claims of a token, after its form, algorithm and signature are verified.

        **The claims are not checked. `validate()` of the result checks only the times, unless options require more.** A
        token of another issuer, for another client, or of another kind passes. `doorkey.resource.AccessTokenVerifier`
        verifies access tokens, and `claims_cls=CodeIDToken` with `claims_params` verifies ID tokens.

        s: the token.
        key: a JWK Set as it was fetched, a JWK, PEM, a key object, a list of these, a `doorkey.KeySource` or
            `doorkey.Issuer`, or a function of the token's header that returns one of these. Malformed, private and
            symmetric keys of a set are ignored.
        claims_cls: the class of the result; None: `JWTClaims`.
        claims_options: conditions for each claim, as for `JWTClaims`; `validate()` checks them.
        claims_params: the values with which the class compares claims, as for `JWTClaims`.

        Raises `VerificationError` for an invalid token, `UsageError` for invalid arguments, and the errors of a key
        source that cannot fetch its keys.
        """
        check, keys = self._prepared(s, key, claims_cls, claims_options, claims_params)
        return checked_with(keys, check)

    @overload
    async def adecode(
        self,
        s: str | bytes | Secret,
        key: Keys,
        claims_cls: None = None,
        claims_options: Options | None = None,
        claims_params: Mapping[str, Any] | None = None,
    ) -> JWTClaims: ...
    @overload
    async def adecode(
        self,
        s: str | bytes | Secret,
        key: Keys,
        claims_cls: type[_C],
        claims_options: Options | None = None,
        claims_params: Mapping[str, Any] | None = None,
    ) -> _C: ...
    @clears_locals
    async def adecode(
        self,
        s: str | bytes | Secret,
        key: Keys,
        claims_cls: type[JWTClaims] | None = None,
        claims_options: Options | None = None,
        claims_params: Mapping[str, Any] | None = None,
    ) -> JWTClaims:
        """Return the claims as `decode` does. A `doorkey.AsyncKeySource` or `doorkey.Issuer` may fetch the keys.

        The parameters and errors are those of `decode`, but a `doorkey.KeySource` raises `UsageError`, because it would
        block the event loop.
        """
        check, keys = self._prepared(s, key, claims_cls, claims_options, claims_params)
        if isinstance(keys, AsyncKeysOfIssuer):
            return await keys.achecked(check)
        if isinstance(keys, KeysOfIssuer):
            raise UsageError("a KeySource would block the event loop: give an AsyncKeySource or an Issuer")
        return check(keys)

    def _prepared(
        self,
        s: str | bytes | Secret,
        key: object,
        claims_cls: type[JWTClaims] | None,
        claims_options: Options | None,
        claims_params: Mapping[str, Any] | None,
    ) -> tuple[Callable[[object], JWTClaims], object]:
        """Return a function that verifies the token with its argument and returns the claims, and the keys for it."""
        kind: object = claims_cls or JWTClaims
        if not (isinstance(kind, type) and issubclass(kind, JWTClaims)):
            raise UsageError("claims_cls must be JWTClaims or a subclass, such as CodeIDToken")
        token = token_text(s)
        if callable(key):
            header = unsafe_encrypted_header(token) if self._encryption else unsafe_header(token)
            key = chosen_keys(cast("Callable[[_Header], object]", key), header)

        def check(given: object) -> JWTClaims:
            if self._encryption:
                decrypted = decrypt_claims(token, given, self._encryption)
                return kind(decrypted.claims, decrypted.header, claims_options, claims_params)
            keys = verifying_keys(given, self._algorithms)
            verified = verify(token, keys, algorithms=self._algorithms or allowed_by(keys))
            return kind(verified.claims, verified.header, claims_options, claims_params)

        return check, key


jwt: Final = JsonWebToken()
"""An instance without registered algorithms: the keys determine the algorithm."""


def _moment(value: object) -> object:
    try:
        return calendar.timegm(value.utctimetuple()) if isinstance(value, datetime) else value
    except (OverflowError, ValueError):
        raise UsageError("a datetime in the payload is out of range") from None
