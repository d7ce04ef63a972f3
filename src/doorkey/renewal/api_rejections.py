"""Remembers APIs that returned 401 for a freshly renewed token, where renewing again would not help.

An API may require another audience or scope than the token has, and return 401 for every token. A renewal for each of
its requests would lock the account out. Another API that accepts the same token is not affected.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from doorkey.values import Secret

MOST: Final = 16
"""APIs that are remembered; the oldest is forgotten for one more."""


class Refusals:
    """The APIs, by origin, that rejected a token and have not accepted its replacement, `unproven`, yet."""

    __slots__ = ("_origins", "unproven")

    def __init__(self) -> None:
        self.unproven: Secret | None = None
        self._origins: dict[Hashable, None] = {}

    def note(self, origin: Hashable) -> None:
        """Note that the API at `origin` rejected the current token, which a renewal will replace."""
        self._origins[origin] = None
        if len(self._origins) > MOST:
            self._origins.pop(next(iter(self._origins), None), None)

    def replaced_by(self, token: Secret) -> None:
        """Note that `token` replaces the rejected token."""
        self.unproven = token

    def is_final(self, token: Secret, origin: Hashable) -> bool:
        """Return whether `token` replaces a token that the API at `origin` had rejected, and was rejected there too."""
        return self.unproven == token and origin in self._origins

    def taken(self, origin: Hashable) -> None:
        """Note that the API at `origin` accepted the token that was `unproven`."""
        self._origins.pop(origin, None)
        if not self._origins:
            self.unproven = None
