"""`JsonWebEncryption`: encrypted messages in the compact form (RFC 7516 §7.1), with the names of Authlib."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, cast

from doorkey.arguments import function, mapping, members
from doorkey.errors import UsageError, printable
from doorkey.jose.encryption import DEFLATE, decrypt_token, encrypt, unsafe_encrypted_header
from doorkey.jose.encryption_algorithms import DEFAULT_MANAGEMENT, ENCRYPTIONS, MANAGEMENT
from doorkey.jose.key_choice import Header, chosen_keys, token_text
from doorkey.jose.serialized import Deserialized
from doorkey.values import Secret, clears_locals

_EXPECTED: Final = "algorithms must be a list of algorithm names, for instance ['RSA-OAEP', 'A256GCM']"


class EncryptionAlgorithms:
    """The names that a program registers, as values of `alg`, `enc` and `zip`.

    Without an `alg` among them, all but `dir` are registered; without an `enc`, all. Raises `UsageError` for an unknown
    name.
    """

    __slots__ = ("encryptions", "managements", "names")

    def __init__(self, algorithms: str | Iterable[str] | None) -> None:
        given = () if algorithms is None else (algorithms,) if isinstance(algorithms, str) else algorithms
        self.names = cast("tuple[str, ...]", members(given, _EXPECTED))
        for name in self.names:
            if name not in (*MANAGEMENT, *ENCRYPTIONS, DEFLATE):
                known = ", ".join((*MANAGEMENT, *ENCRYPTIONS, DEFLATE))
                raise UsageError(f"the encryption algorithm {printable(str(name), 40)!r} is none of {known}")
        if algorithms is not None and not self.names:
            raise UsageError(_EXPECTED)
        self.managements = tuple(name for name in self.names if name in MANAGEMENT) or DEFAULT_MANAGEMENT
        self.encryptions = tuple(name for name in self.names if name in ENCRYPTIONS) or tuple(ENCRYPTIONS)

    def accepted(self) -> tuple[str, ...]:
        """Return the `algorithms` of `decrypt_token`."""
        return (*self.managements, DEFLATE) if DEFLATE in self.names else self.managements

    def checked(self, header: Mapping[str, Any]) -> tuple[str, str]:
        """Return the `alg` and `enc` of a header to encrypt with. Raises `UsageError` if they are not registered."""
        mapping(header, "the header")
        alg, enc = header.get("alg"), header.get("enc")
        if not isinstance(alg, str) or not isinstance(enc, str):
            raise UsageError('the header must name both algorithms: {"alg": "RSA-OAEP", "enc": "A256GCM"}')
        if (alg in MANAGEMENT and alg not in self.managements) or (enc in ENCRYPTIONS and enc not in self.encryptions):
            registered = ", ".join((*self.managements, *self.encryptions))
            raise UsageError(f"the header's algorithms are not among the registered ones: {registered}")
        return alg, enc


class JsonWebEncryption:
    """Encrypts and decrypts messages in the compact form, with the registered `algorithms` only.

    algorithms: names of RFC 7518 §4.1 (`alg`) and §5.1 (`enc`). Without an `alg` among them, all but `dir` are
        accepted; without an `enc`, all. `dir` and `DEF` (a compressed content) are accepted only if they are named.
        RSA1_5 and PBES2 are not supported (RFC 8725 §3.2).

    Raises `UsageError` for an unknown name.
    """

    __slots__ = ("_algorithms",)

    def __init__(self, algorithms: str | Iterable[str] | None = None) -> None:
        self._algorithms = EncryptionAlgorithms(algorithms)

    def __repr__(self) -> str:
        return f"<JsonWebEncryption {' '.join(self._algorithms.names or ('by the keys',))}>"

    @clears_locals
    def serialize_compact(self, protected: Mapping[str, Any], payload: bytes | str, key: object) -> bytes:
        """Return `payload` as a compact JWE.

        protected: the header, with `alg` and `enc`.
        payload: bytes, or a text that is encoded as UTF-8. It is not compressed.
        key: the recipient's public key, or a shared secret.

        Raises `UsageError` for algorithms that are not registered, and for a key that does not fit them.
        """
        alg, enc = self._algorithms.checked(protected)
        return encrypt(payload, key, alg=alg, enc=enc, header=protected).encode("ascii")

    @clears_locals
    def deserialize_compact(
        self,
        s: str | bytes | Secret,
        key: Callable[[Header], object] | object,
        decode: Callable[[bytes], Any] | None = None,
    ) -> Deserialized:
        """Return the `header` and the `payload` of a compact JWE. Anyone with the public key may have sent it.

        s: the JWE.
        key: the program's private key or secret, several of these, or a function of the header that returns them.
        decode: a function of the bytes that returns the payload; defaults to the bytes.

        Raises `VerificationError` for an invalid JWE, and `UsageError` for keys that cannot be read.
        """
        token = token_text(s)
        if decode is not None:
            function(decode, "decode must be a function of the payload")
        if callable(key):
            key = chosen_keys(key, unsafe_encrypted_header(token))
        algorithms = self._algorithms
        opened = decrypt_token(token, key, algorithms=algorithms.accepted(), encryptions=algorithms.encryptions)
        return Deserialized.of(opened.header, opened.plaintext, decode)
