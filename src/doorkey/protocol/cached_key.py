"""Caches the key of a client, because reading an RSA key checks it, which takes a tenth of a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorkey.values import Secret, hides_locals

if TYPE_CHECKING:
    from doorkey.jose.keys import Key


class CachedKey:
    """The cached key of one client. Thread-safe. Its repr shows no key material."""

    __slots__ = ("_cached",)

    def __init__(self) -> None:
        self._cached: tuple[object, Key] | None = None

    @hides_locals
    def of(self, given: object) -> Key:
        """Return the key in `given` (PEM, JWK, key object or secret). It is read only if `given` is another object.

        Raises the `UsageError` of `import_key`.
        """
        from doorkey.jose.keys import import_key  # loaded only by clients that sign

        value = given.reveal() if isinstance(given, Secret) else given
        cached = self._cached
        if cached is None or cached[0] is not value:
            cached = self._cached = (value, import_key(value))
        return cached[1]
