"""Encrypts and decrypts tokens in the compact form, strictly (RFC 7516 §5, §7.1, RFC 8725 §3).

Theory of operation. Cheap checks come first: size and form, before any base64 or JSON is decoded. `alg` and `enc` must
be registered by the caller. The key comes from the caller, and `kid` only chooses among the caller's keys. Once a key
is used, every failure raises the same error: a sender who learned whether the encrypted key, its padding, the tag or
the padding of the content was wrong could decrypt tokens of others by trial. An encrypted key that cannot be decrypted
is replaced by a random one, so that the failure takes the same steps (RFC 7516 §11.5).
"""

from __future__ import annotations

import json
import re
import secrets
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, cast

from joserfc import jwe
from joserfc.jwa import JWEAlgModel, JWEDirectEncryption, JWEEncModel, JWEKeyAgreement
from joserfc.util import urlsafe_b64decode

from doorkey.arguments import mapping
from doorkey.errors import OAuthError, UsageError, VerificationError, scrubbed
from doorkey.jose.encryption_algorithms import (
    ENCRYPTIONS,
    ContentEncryption,
    KeyManagement,
    check_key,
    encryption_named,
    key_of_client_secret,
    management_named,
    names,
)
from doorkey.jose.errors import DecodeError, UnsupportedAlgorithmError
from doorkey.jose.key_reading import BROKEN
from doorkey.jose.keys import Key, import_key, import_own_keys
from doorkey.values import hides_locals
from doorkey.wire.strict_json import JSONProblem, parse_object

__all__ = ["DecryptedToken", "decrypt", "decrypt_nested", "decrypt_token", "encrypt", "is_encrypted"]
__all__ += ["key_of_client_secret", "unsafe_encrypted_header"]

MAX_BYTES: Final = 64 * 1024
MAX_INFLATED: Final = 256 * 1024
"""The largest decompressed content, in bytes."""
MAX_TRIED: Final = 16
"""The largest number of keys that are tried for one token."""
DEFLATE: Final = "DEF"
"""The compression of RFC 7516 §4.1.3. It is accepted only if the caller names it among the algorithms."""

_COMPACT: Final = re.compile(
    r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)\.([A-Za-z0-9_-]+)"
)
_FAILED: Final = (*BROKEN, AssertionError, RecursionError)
_GCM_IV_TAG: Final = (12, 16)
"""Bytes of the header's `iv` and `tag` of A*GCMKW (RFC 7518 §4.7.1)."""


@dataclass(frozen=True, slots=True, repr=False)
class DecryptedToken:
    """A decrypted token. Encryption does not authenticate the sender.

    header: the protected header.
    plaintext: the decrypted bytes.
    """

    header: Mapping[str, Any]
    plaintext: bytes

    def __repr__(self) -> str:
        return f"<DecryptedToken alg={self.header.get('alg')!r} enc={self.header.get('enc')!r}>"


@dataclass(frozen=True, slots=True, repr=False)
class _Parts:
    header_text: bytes
    header: dict[str, Any]
    encrypted_key: bytes
    iv: bytes
    ciphertext: bytes
    tag: bytes


@hides_locals
def encrypt(
    plaintext: bytes | str, key: object, *, alg: str, enc: str, header: Mapping[str, object] | None = None
) -> str:
    """Return `plaintext` as a compact JWE (RFC 7516 §7.1).

    plaintext: bytes, or a text that is encoded as UTF-8. To encrypt a signed token, give `header={"cty": "JWT"}`
        (RFC 7519 §5.2).
    key: the recipient's public key, or a shared secret, as `doorkey.jose.keys.import_key` reads it.
    alg: the key management algorithm, a name of RFC 7518 §4.1 such as `RSA-OAEP-256`.
    enc: the content encryption algorithm, a name of RFC 7518 §5.1 such as `A256GCM`.
    header: further members of the protected header. The key's own `kid` is added unless the header has one.

    Raises `UsageError` for an unknown algorithm, for a key that does not fit it, and for a header with `crit`, `zip`,
    `epk`, `iv` or `tag`. Nothing is compressed, because the size of a compressed text reveals facts about its content.
    """
    management, content = management_named(alg), encryption_named(enc)
    imported = import_key(key)
    check_key(imported, management, content, "encrypt")
    given = dict(mapping(header or {}, "the header"))
    if given.get("alg", alg) != alg or given.get("enc", enc) != enc:
        raise UsageError("the header names another algorithm than `alg` and `enc`")
    if refused := [name for name in ("crit", "zip", "epk", "iv", "tag") if name in given]:
        raise UsageError(f"`{refused[0]}` is not allowed in the header of a token to encrypt: remove it")
    own_kid = {"kid": imported.kid} if imported.kid else {}
    protected = {"alg": alg, "enc": enc, **own_kid, **given}
    registry = jwe.JWERegistry(algorithms=(alg, enc), strict_check_header=False)
    try:
        json.dumps(given, allow_nan=False)  # joserfc would write NaN
        return jwe.encrypt_compact(protected, _octets(plaintext), _bare(imported), registry=registry)
    except _FAILED as error:
        if isinstance(error, OAuthError):
            raise
        raise UsageError(f"the content cannot be encrypted ({type(error).__name__})") from scrubbed(error)


@hides_locals
def decrypt(
    token: str,
    keys: object,
    *,
    algorithms: str | Iterable[str],
    encryptions: str | Iterable[str] = tuple(ENCRYPTIONS),
    max_bytes: int = MAX_BYTES,
) -> bytes:
    """Return the plaintext of a compact JWE. The parameters and errors are those of `decrypt_token`."""
    return decrypt_token(token, keys, algorithms=algorithms, encryptions=encryptions, max_bytes=max_bytes).plaintext


@hides_locals
def decrypt_nested(
    token: str,
    keys: object,
    *,
    algorithms: str | Iterable[str],
    encryptions: str | Iterable[str] = tuple(ENCRYPTIONS),
    max_bytes: int = MAX_BYTES,
) -> str:
    """Return the signed token that an encrypted token contains. It is not verified yet (RFC 7519 §5.2, §7.2).

    The parameters and errors are those of `decrypt_token`. A `cty` other than `JWT` is a `VerificationError`.
    """
    opened = decrypt_token(token, keys, algorithms=algorithms, encryptions=encryptions, max_bytes=max_bytes)
    cty = opened.header.get("cty", "JWT")
    if not isinstance(cty, str) or cty.lower().removeprefix("application/") != "jwt":
        raise VerificationError("cty", "is not the type of a signed token (RFC 7519 §5.2)", expected="JWT")
    return opened.plaintext.decode("latin-1")  # the verification of the signed token rejects non-ASCII text


@hides_locals
def decrypt_token(
    token: str,
    keys: object,
    *,
    algorithms: str | Iterable[str],
    encryptions: str | Iterable[str] = tuple(ENCRYPTIONS),
    max_bytes: int = MAX_BYTES,
) -> DecryptedToken:
    """Return the header and the plaintext of a compact JWE (RFC 7516 §5.2).

    token: the JWE, five base64url parts.
    keys: the program's own private key or secret, as `doorkey.jose.keys.import_key` reads it; or a sequence or a JWK
        Set of these.
    algorithms: the accepted values of `alg`. `dir` is accepted only if it is among them, and a compressed content only
        if `DEF` is.
    encryptions: the accepted values of `enc`; defaults to all of `ENCRYPTIONS`.
    max_bytes: the length at which a token is rejected before it is decoded; defaults to 64 KiB.

    Raises `VerificationError` for an invalid token, with the same message for every failure of decryption, and
    `UsageError` for invalid keys and algorithms of the caller.
    """
    named = names(algorithms, "algorithms")
    managements = {management_named(name).name for name in named if name != DEFLATE}
    contents = {encryption_named(name).name for name in names(encryptions, "encryptions")}
    parts = _read(token, max_bytes)
    alg, enc = _registered(parts.header, "alg", managements), _registered(parts.header, "enc", contents)
    inflates = _compressed(parts.header, DEFLATE in named)
    management, content = management_named(alg), encryption_named(enc)
    for key in _chosen(import_own_keys(keys), parts.header, management, content):
        plaintext = _opened(parts, key, management, content)
        if plaintext is not None and inflates:
            plaintext = _inflated(plaintext)
        if plaintext is not None:
            return DecryptedToken(parts.header, plaintext)
    raise VerificationError("token", "cannot be decrypted with these keys")


@hides_locals
def unsafe_encrypted_header(token: str, max_bytes: int = MAX_BYTES) -> Mapping[str, Any]:
    """Return the header of an encrypted token. Use it only to choose a key, and trust nothing in it.

    token: the JWE, five base64url parts.
    max_bytes: the length at which a token is rejected before it is decoded; defaults to 64 KiB.

    Raises `VerificationError` if the token is not in the compact form.
    """
    return _read(token, max_bytes).header


def is_encrypted(token: str) -> bool:
    """Return whether `token` has the five parts of a compact JWE (RFC 7516 §9). Nothing is decoded."""
    return len(token) <= MAX_BYTES and token.count(".") == 4


def _read(token: object, max_bytes: int) -> _Parts:
    if not isinstance(token, str):
        raise UsageError(f"a token must be text, not {type(token).__name__}")
    if len(token) > max_bytes:
        raise DecodeError("token", "is too long", expected=f"at most {max_bytes} bytes")
    match = _COMPACT.fullmatch(token)
    if match is None:
        raise DecodeError("token", "is not an encrypted token in the compact form (RFC 7516 §7.1)")
    try:
        decoded = [urlsafe_b64decode(part.encode("ascii")) for part in match.groups()]
    except ValueError as error:
        raise DecodeError("token", "is not base64url") from scrubbed(error)
    try:
        header = parse_object(decoded[0])
    except JSONProblem as problem:
        raise DecodeError("header", f"is not acceptable: {problem}") from None
    if "crit" in header:
        raise DecodeError("crit", "names extensions that are not understood here (RFC 7516 §4.1.13)")
    return _Parts(match[1].encode("ascii"), header, *decoded[1:])


def _registered(header: Mapping[str, Any], member: str, allowed: set[str]) -> str:
    found = header.get(member)
    if not isinstance(found, str) or found not in allowed:
        raise UnsupportedAlgorithmError(member, "is not the registered one", expected=" or ".join(sorted(allowed)))
    return found


def _compressed(header: Mapping[str, Any], allowed: bool) -> bool:
    if "zip" not in header:
        return False
    if not allowed or header["zip"] != DEFLATE:
        raise UnsupportedAlgorithmError(
            "zip", "is not accepted: add DEF to the algorithms to accept compressed contents"
        )
    return True


def _chosen(
    keys: Iterable[Key], header: Mapping[str, Any], alg: KeyManagement, enc: ContentEncryption
) -> Iterable[Key]:
    """Return the keys that may decrypt the token: those with its `kid`. A missing `kid` on either side matches."""
    kid = header.get("kid")
    named = [key for key in keys if kid is None or key.kid is None or key.kid == kid]
    if not named:
        raise VerificationError("kid", "is not among the known keys")
    fitting: list[Key] = []
    misfit = ""
    for key in named:
        try:
            check_key(key, alg, enc, "decrypt")
        except UsageError as error:
            misfit = f": {error.description}"
        else:
            fitting.append(key)
    if len(fitting) > MAX_TRIED:
        raise VerificationError("kid", f"does not choose one key: more than {MAX_TRIED} fit")
    if not fitting:
        raise VerificationError("alg", f"has no key that fits it{misfit}")
    return fitting


def _opened(parts: _Parts, key: Key, alg: KeyManagement, enc: ContentEncryption) -> bytes | None:
    """Return the plaintext, or None if the decryption fails for any reason."""
    models = jwe.JWERegistry.algorithms
    manages, encrypts = models["alg"][alg.name], models["enc"][enc.name]
    cek = b""
    with suppress(*_FAILED):
        cek = _content_key(parts, key, manages, encrypts)
    if len(cek) != enc.key:
        cek = secrets.token_bytes(enc.key)
    if (len(parts.iv), len(parts.tag)) != (enc.iv, enc.tag):
        return None
    with suppress(*_FAILED):
        return encrypts.decrypt(parts.ciphertext, parts.tag, cek, parts.iv, parts.header_text)
    return None


def _content_key(parts: _Parts, key: Key, alg: JWEAlgModel, enc: JWEEncModel) -> bytes:
    """Return the content encryption key (RFC 7516 §5.2, steps 6 to 12).

    A failure returns empty bytes, or raises one of `_FAILED`.
    """
    header = dict(parts.header)
    if isinstance(alg, JWEKeyAgreement):
        header["epk"] = _public_members(header.get("epk"))
        if any(header["epk"].get(name) != key.public_jwk()[name] for name in ("kty", "crv")):
            return b""
    recipient = jwe.Recipient[Any](jwe.CompactEncryption(header), None, _bare(key))
    recipient.encrypted_key = parts.encrypted_key
    if alg.direct_mode and parts.encrypted_key:
        return b""
    if isinstance(alg, JWEKeyAgreement):
        agreed = alg.decrypt_agreed_upon_key(enc, recipient)
        return agreed if alg.direct_mode else alg.unwrap_cek_with_auk(parts.encrypted_key, agreed)
    if isinstance(alg, JWEDirectEncryption):
        return alg.compute_cek(enc.cek_size, recipient)
    if alg.name.endswith("GCMKW"):
        sizes = tuple(len(urlsafe_b64decode(header[name].encode("ascii"))) for name in ("iv", "tag"))
        if sizes != _GCM_IV_TAG:
            return b""
    return alg.decrypt_cek(recipient)


def _public_members(epk: object) -> dict[str, object]:
    given = cast("dict[str, object]", epk) if isinstance(epk, dict) else {}
    return {name: given[name] for name in ("kty", "crv", "x", "y") if name in given}


def _bare(key: Key) -> Any:
    """Return the key for joserfc without its `use`, `key_ops` and `alg`, which `check_key` has checked."""
    return type(key.jose)(cast("Any", key.jose.raw_value), key.jose.raw_value)


def _inflated(data: bytes) -> bytes | None:
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = inflate.decompress(data, MAX_INFLATED)
    except zlib.error:
        return None
    return content if inflate.eof and not inflate.unused_data else None


def _octets(plaintext: object) -> bytes:
    if isinstance(plaintext, str):
        return plaintext.encode("utf-8")
    if isinstance(plaintext, bytes):
        return plaintext
    raise UsageError(f"the content to encrypt must be bytes or text, not {type(plaintext).__name__}")
