"""Records sealed with AES-GCM: unreadable without the key, and useless under another record's key.

Theory of operation. A sealed record is ``magic | format | length of the key id | key id | nonce | ciphertext and tag``.
What stands before the nonce, the context and the record's key are authenticated with the ciphertext, so a record that
is copied to another key, or whose key id is changed, does not open. Nonces are 96 random bits (NIST SP 800-38D §8.2.2):
one key is good for 2**32 records, so change it before that.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Final, NoReturn

from doorkey.arguments import encodable, instance, mapping, text
from doorkey.errors import RecordError, UsageError

__all__ = ["Sealer"]

MAGIC: Final = b"dk\xa7s"
FORMAT: Final = 1
NONCE: Final = 12
TAG: Final = 16


class Sealer:
    """Seals records with the key that `current` names, and opens those sealed with any of `keys`.

    `keys` maps key ids (1 to 64 visible ASCII characters, stored in the clear) to 32 random bytes. To rotate, add a
    key and name it `current`; take the old one out when every record has been written again. `context` separates what
    must not be exchanged though the keys are the same, such as two applications. Raises `UsageError` otherwise.
    """

    __slots__ = ("_ciphers", "_context", "_current")

    def __init__(self, keys: Mapping[str, bytes], current: str, *, context: str = "doorkey") -> None:
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

    def seal(self, key: str, data: bytes) -> bytes:
        """Return `data` sealed for the record of `key`, to be committed there."""
        instance(data, bytes, "what is sealed is bytes")
        name = self._current.encode("ascii")
        head = MAGIC + bytes([FORMAT, len(name)]) + name
        nonce = secrets.token_bytes(NONCE)
        return head + nonce + self._ciphers[self._current].encrypt(nonce, data, self._bound(head, key))

    def open(self, key: str, sealed: bytes) -> bytes:
        """Return what was sealed for the record of `key`.

        Raises `RecordError` whose `reason` tells what is wrong: not sealed by doorkey, cut short, of a newer format,
        sealed with a key that is not among ours, or changed, moved from another record, or sealed with another key of
        that id (which cannot be told apart).
        """
        from cryptography.exceptions import InvalidTag

        name, head, body = _parts(sealed)
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise RecordError("is sealed with a key that is not among ours", expected=f"one of {len(self._ciphers)}")
        try:
            return cipher.decrypt(body[:NONCE], body[NONCE:], self._bound(head, key))
        except InvalidTag:
            raise RecordError("does not open: it was changed, is another record's, or was sealed otherwise") from None

    def is_current(self, sealed: bytes) -> bool:
        """Say whether `sealed` was sealed with the current key; if not, seal and commit it again."""
        return _parts(sealed)[0] == self._current

    def _bound(self, head: bytes, key: str) -> bytes:
        """What is authenticated beside the data; lengths in front, so that no two triples look alike."""
        parts = (head, self._context, text(key, "a record's key").encode("utf-8", "surrogatepass"))
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
    instance(sealed, bytes, "what is opened is bytes")
    if not sealed.startswith(MAGIC):
        cut = MAGIC.startswith(sealed)
        raise RecordError("is cut short" if cut else "is not sealed, or not by doorkey")
    if len(sealed) > 4 and sealed[4] > FORMAT:
        raise RecordError("was sealed by a newer version of doorkey", expected=f"format {FORMAT}")
    end = 6 + sealed[5] if len(sealed) > 5 else 6
    if len(sealed) < end + NONCE + TAG:
        raise RecordError("is cut short")
    if sealed[4] != FORMAT:
        raise RecordError("is not sealed, or not by doorkey")
    try:
        return sealed[6:end].decode("ascii"), sealed[:end], sealed[end:]
    except UnicodeDecodeError:
        raise RecordError("is not sealed, or not by doorkey") from None
