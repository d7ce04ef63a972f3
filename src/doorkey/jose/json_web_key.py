"""`JsonWebKey`: reading keys by the name that programs know (RFC 7517)."""

from __future__ import annotations

from doorkey.jose.keys import Key, import_key, import_key_set


class JsonWebKey:
    """Reads keys. What it returns is accepted wherever doorkey wants a key or keys."""

    __slots__ = ()

    @staticmethod
    def import_key(raw: object) -> Key:
        """Return the key that PEM, a JWK, a shared secret or a key object holds. Raises `UsageError` for none."""
        return import_key(raw)

    @staticmethod
    def import_key_set(raw: object) -> tuple[Key, ...]:
        """Return the public keys of a JWK Set, given as a mapping, a list or JSON.

        Those that are odd, private or symmetric are ignored. Raises `UsageError` if it is no set at all (RFC 7517 §5).
        """
        return import_key_set(raw)
