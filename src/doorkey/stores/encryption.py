"""Records sealed with AES-GCM: unreadable without the key, and useless as another record or another version of theirs.

Theory of operation. A sealed record is ``magic | format | length of the key id | key id | nonce | ciphertext and tag``.
The bytes before the nonce, the context, the record's key and its version are authenticated with the ciphertext. So a
record does not open that was copied to another key, saved again under a later version, or given another key id.
Format 1, of earlier releases and of records without a version, authenticates no version. Nonces are 96 random bits
(NIST SP 800-38D §8.2.2): one key is good for 2**32 records, so change it before that.
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
        and make it the current one; remove the old one when every record has been written again.
    current: the id of the key that seals.
    context: separates applications that share keys; a record of one context does not open in another.
    accept_unversioned: whether records open that earlier releases sealed without their version. An attacker who can
        write to the store can then restore such a record after a logout: end this when every record is written again.

    Raises `UsageError` for other values.
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
        self._accept_unversioned = instance(accept_unversioned, bool, "accept_unversioned is True or False")

    def seal(self, key: str, data: bytes, *, version: int | None = None) -> bytes:
        """Return `data` sealed for the record of `key`.

        version: the version under which it is going to be committed, so that it opens under no other; None for data
            that has no version.
        """
        instance(data, bytes, "Sealer.seal takes bytes")
        name = self._current.encode("ascii")
        number = UNVERSIONED if version is None else VERSIONED
        head = MAGIC + bytes([number, len(name)]) + name
        nonce = secrets.token_bytes(NONCE)
        return head + nonce + self._ciphers[self._current].encrypt(nonce, data, self._bound(head, key, version))

    def open(self, key: str, sealed: bytes, *, version: int | None = None) -> bytes:
        """Return the data that was sealed for the record of `key` and its `version`, as it was loaded.

        Raises `RecordError`, whose `reason` names the fault: not sealed by doorkey, cut short, of a newer format,
        sealed with an unknown key, or sealed without a version. These faults have the same reason, because they look
        alike: changed, restored from an earlier version or another record, or sealed with another key of that id.
        """
        from cryptography.exceptions import InvalidTag

        name, head, body = _parts(sealed)
        if head[len(MAGIC)] == UNVERSIONED:
            if version is not None and not self._accept_unversioned:
                raise RecordError(
                    "was sealed without its version. If an earlier release wrote it, use "
                    "Sealer(accept_unversioned=True) until it is written again; otherwise, it may be an old record "
                    "that was put back"
                )
            version = None
        elif version is None:
            raise RecordError("was sealed for one version: give version=, as the loaded record has it")
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
        """Whether `sealed` was sealed with the current key; if not, seal and commit it again.

        With `accept_unversioned`, a record that was sealed without a version is not current either.
        """
        name, head, _ = _parts(sealed)
        return name == self._current and (head[len(MAGIC)] == VERSIONED or not self._accept_unversioned)

    def _bound(self, head: bytes, key: str, version: int | None) -> bytes:
        """Return the associated data; with lengths, so that different parts never make the same bytes."""
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
    """The key's id, all that is before the nonce, and the rest."""
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
