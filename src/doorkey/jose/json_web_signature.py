"""`JsonWebSignature`: signed messages in the compact form (RFC 7515 §7.1), with the names of Authlib."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from doorkey.arguments import function, mapping
from doorkey.jose.key_choice import (
    Header,
    allowed_by,
    checked_with,
    chosen_keys,
    registered,
    signing_algorithm,
    signing_key,
    token_text,
    verifying_keys,
)
from doorkey.jose.serialized import Deserialized
from doorkey.jose.signing import sign_bytes
from doorkey.jose.verification import unsafe_header, verify_bytes
from doorkey.values import Secret, clears_locals


class JsonWebSignature:
    """Signs and verifies messages in the compact form, with the registered `algorithms` only.

    algorithms: names of signature algorithms such as `RS256`. None: the keys determine the algorithms, as in
        `jwt.decode`.

    The JSON serializations are not supported. Raises `UsageError` for an unsupported algorithm, `none` included.
    """

    __slots__ = ("_algorithms",)

    def __init__(self, algorithms: str | Iterable[str] | None = None) -> None:
        self._algorithms = None if algorithms is None else registered(algorithms)

    def __repr__(self) -> str:
        return f"<JsonWebSignature {' '.join(self._algorithms or ('by the keys',))}>"

    @clears_locals
    def serialize_compact(self, protected: Mapping[str, Any], payload: bytes | str, key: object) -> bytes:
        """Return `payload` as a compact JWS.

        protected: the header, with `alg`. The key's own `kid` is added.
        payload: bytes, or a text that is encoded as UTF-8; it may be empty.
        key: the private key, or a shared secret. Of several keys, the first that fits the header's `alg` and `kid` is
            used.

        Raises `UsageError` for an algorithm that is not registered, and for a key that does not fit it.
        """
        alg = signing_algorithm(mapping(protected, "the header"), self._algorithms)
        return sign_bytes(payload, signing_key(key, alg, protected), alg=alg, header=protected).encode("ascii")

    @clears_locals
    def deserialize_compact(
        self,
        s: str | bytes | Secret,
        key: Callable[[Header], object] | object,
        decode: Callable[[bytes], Any] | None = None,
    ) -> Deserialized:
        """Return the `header` and the `payload` of a compact JWS, after its signature is verified.

        s: the JWS.
        key: keys as `jwt.decode` accepts them.
        decode: a function of the bytes that returns the payload; defaults to the bytes.

        Raises `VerificationError` for an invalid JWS, and `UsageError` for keys that cannot be read.
        """
        token = token_text(s)
        if decode is not None:
            function(decode, "decode must be a function of the payload")
        if callable(key):
            key = chosen_keys(key, unsafe_header(token, may_be_empty=True))

        def check(given: object) -> tuple[Header, bytes]:
            keys = verifying_keys(given, self._algorithms)
            return verify_bytes(token, keys, algorithms=self._algorithms or allowed_by(keys))

        header, payload = checked_with(key, check)
        return Deserialized.of(header, payload, decode)
