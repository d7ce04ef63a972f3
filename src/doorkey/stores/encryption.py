"""Encryption of records with AES-GCM. A sealed record opens only with its key, and only as its own record and version.

Theory of operation. A sealed record is ``magic | format | length of the key id | key id | nonce | ciphertext and tag``.
The bytes before the nonce, the context, the record's key and its version are authenticated with the ciphertext. So
opening fails for a record that was copied to another key, saved again under a later version, or given another key id.
Format 1, which earlier releases used and data without a version still has, authenticates no version. Nonces are 96
random bits (NIST SP 800-38D §8.2.2), so one key may seal at most 2**32 records. Rotate it before that.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Final, NoReturn

from doorkey.arguments import count, encodable, instance, mapping, text
from doorkey.errors import RecordError, UsageError
from doorkey.stores.limits import MAX_VERSION
from doorkey.values import RedactedBytes, hides_locals

__all__ = ["Sealer"]

MAGIC: Final = b"dk\xa7s"
UNVERSIONED: Final = 1
VERSIONED: Final = 2
NONCE: Final = 12
TAG: Final = 16


class Sealer:
    """Seals records with the current key, and opens those sealed with any of its keys.

    keys: maps key ids (1 to 64 visible ASCII characters, stored in the clear) to 32 random bytes. To rotate, add a key
        and pass its id as `current`; remove the old key when every record has been written again.
    current: the id of the key that seals.
    context: separates applications that share keys; a record of one context does not open in another.
    accept_unversioned: True to open records that earlier releases sealed without their version. An attacker who can
        write to the store can then restore such a record after a logout, so remove it when every record is rewritten.

    Raises `UsageError` for invalid arguments.
    """

    __slots__ = ("_accept_unversioned", "_ciphers", "_context", "_current")

    @hides_locals
    def __init__(
        self,
        keys: Mapping[str, bytes],
        current: str,
        *,
        context: str = "doorkey",
        accept_unversioned: bool = False,
    ) -> None:
        try:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ModuleNotFoundError:  # pragma: no cover  # a dependency of the package
            raise UsageError("sealing needs cryptography: pip install cryptography") from None
        for name, key in mapping(keys, "the keys of a Sealer").items():
            _check(name, key)
        if text(current, "current") not in keys:
            raise UsageError("current= must be the id of one of the sealing keys")
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self._current = current
        if not encodable(text(context, "context")):
            raise UsageError("context has a lone surrogate, which cannot be encoded")
        self._context = context.encode()
        self._accept_unversioned = instance(accept_unversioned, bool, "accept_unversioned must be True or False")

    def seal(self, key: str, data: bytes, *, version: int | None = None) -> bytes:
        """Return `data` sealed for the record of `key`.

        key: the key of the record.
        data: the bytes to encrypt.
        version: the version that the commit will create; the data opens under no other version. None: data without a
            version.
        """
        instance(data, bytes, "Sealer.seal takes bytes")
        name = self._current.encode("ascii")
        number = UNVERSIONED if version is None else VERSIONED
        head = MAGIC + bytes([number, len(name)]) + name
        nonce = secrets.token_bytes(NONCE)
        return head + nonce + self._ciphers[self._current].encrypt(nonce, data, self._bound(head, key, version))

    def open(self, key: str, sealed: bytes, *, version: int | None = None) -> bytes:
        """Return the data that was sealed for the record of `key`.

        key: the key of the record.
        sealed: the bytes that `seal` returned.
        version: the version of the loaded record; None: data without a version.

        Raises `RecordError`, whose `reason` names the fault: not sealed by doorkey, truncated, of a newer format,
        sealed with an unknown key, sealed without a version, or sealed for a version and opened without one. One
        `reason` covers the faults that look alike: data that was changed, that was restored from an earlier version or
        another record, or that was sealed with another key of the same id, or in another context.
        """
        from cryptography.exceptions import InvalidTag

        name, head, body = _parts(sealed)
        if head[len(MAGIC)] == UNVERSIONED:
            if version is not None and not self._accept_unversioned:
                raise RecordError(
                    "was sealed without its version. If an earlier release wrote it, use "
                    "Sealer(accept_unversioned=True) until it is written again; otherwise, it may be an old record "
                    "that was restored"
                )
            version = None
        elif version is None:
            raise RecordError("was sealed for one version: pass the version of the loaded record as version=")
        cipher = self._ciphers.get(name)
        if cipher is None:
            expected = f"one of {len(self._ciphers)}"
            raise RecordError("is sealed with a key that this Sealer does not have", expected=expected)
        try:
            return RedactedBytes(cipher.decrypt(body[:NONCE], body[NONCE:], self._bound(head, key, version)))
        except InvalidTag:
            raise RecordError(
                "cannot be decrypted: it was changed, belongs to another version or another record, or was sealed with "
                "other settings"
            ) from None

    def is_current(self, sealed: bytes) -> bool:
        """Return whether `sealed` was sealed with the current key. If not, seal the data and commit it again.

        sealed: the bytes that `seal` returned.

        With `accept_unversioned`, a record that was sealed without a version is not current either. Raises
        `RecordError` for bytes that were truncated, not sealed by doorkey, or sealed in a newer format.
        """
        name, head, _ = _parts(sealed)
        return name == self._current and (head[len(MAGIC)] == VERSIONED or not self._accept_unversioned)

    def _bound(self, head: bytes, key: str, version: int | None) -> bytes:
        """Return the associated data. Each part has its length in front, so different parts never give equal bytes."""
        parts = [head, self._context, text(key, "a record's key").encode("utf-8", "surrogatepass")]
        if version is not None:
            parts.append(b"%d" % count(version, "a record's version", most=MAX_VERSION))
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)

    def __repr__(self) -> str:
        return f"Sealer(keys={sorted(self._ciphers)}, current={self._current!r})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise UsageError("a Sealer is not pickled, as it holds keys: make one where it is needed")


def _check(name: object, key: object) -> None:
    if not isinstance(name, str) or not 1 <= len(name) <= 64 or any(not "!" <= c <= "~" for c in name):
        raise UsageError("a sealing key's id is 1 to 64 visible ASCII characters, such as 2026-11")
    if not isinstance(key, bytes) or len(key) != 32:
        raise UsageError(f"the sealing key {name} must be 32 random bytes: secrets.token_bytes(32)")


def _parts(sealed: bytes) -> tuple[str, bytes, bytes]:
    """Return the key id, the bytes before the nonce, and the rest. Raises `RecordError` for malformed bytes."""
    instance(sealed, bytes, "Sealer.open takes bytes")
    if not sealed.startswith(MAGIC):
        cut = MAGIC.startswith(sealed)
        raise RecordError("is cut short" if cut else "is not sealed, or not by doorkey")
    if len(sealed) > 4 and sealed[4] > VERSIONED:
        raise RecordError("was sealed by a newer version of doorkey", expected=f"format {VERSIONED}")
    end = 6 + sealed[5] if len(sealed) > 5 else 6
    if len(sealed) < end + NONCE + TAG:
        raise RecordError("is cut short")
    if sealed[4] not in (UNVERSIONED, VERSIONED):
        raise RecordError("is not sealed, or not by doorkey")
    try:
        return sealed[6:end].decode("ascii"), sealed[:end], sealed[end:]
    except UnicodeDecodeError:
        raise RecordError("is not sealed, or not by doorkey") from None
