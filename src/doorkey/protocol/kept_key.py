"""A key that is read once: reading an RSA key checks it, which takes a tenth of a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doorkey.values import Secret, hides_locals

if TYPE_CHECKING:
    from doorkey.jose.keys import Key


class KeptKey:
    """The key of one client, as it was read last. Threads may share it; it is shown nowhere."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: tuple[object, Key] | None = None

    @hides_locals
    def of(self, given: object) -> Key:
        """Return the key that `given` holds (PEM, JWK, key object or secret), read again only if it is another object.

        Raises `UsageError` as `import_key` does.
        """
        from doorkey.jose.keys import import_key  # loaded only by clients that sign

        value = given.reveal() if isinstance(given, Secret) else given
        kept = self._kept
        if kept is None or kept[0] is not value:
            kept = self._kept = (value, import_key(value))
        return kept[1]
