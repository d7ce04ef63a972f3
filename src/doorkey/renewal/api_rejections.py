"""Which APIs refuse a token that came in place of a refused one: what is wrong there no token mends.

An API may want another audience or scope than the token has, and answer 401 for ever. One more token for each of its
requests would lock an account out. It says nothing about another API that is sent the same token, and takes it.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from doorkey.values import Secret

MOST: Final = 16
"""APIs that are remembered: one more is taken for a new one."""


class Refusals:
    """The APIs, by origin, that have refused a token and have not taken what came in its place, `unproven`."""

    __slots__ = ("_origins", "unproven")

    def __init__(self) -> None:
        self.unproven: Secret | None = None
        self._origins: dict[Hashable, None] = {}

    def note(self, origin: Hashable) -> None:
        """Note that the API at `origin` has refused the current token, which is to be replaced."""
        self._origins[origin] = None
        if len(self._origins) > MOST:
            self._origins.pop(next(iter(self._origins), None), None)

    def replaced_by(self, token: Secret) -> None:
        """Note that `token` came in place of what was refused."""
        self.unproven = token

    def is_final(self, token: Secret, origin: Hashable) -> bool:
        """Say whether the API at `origin` refuses, in `token`, what came in place of what it had refused before."""
        return self.unproven == token and origin in self._origins

    def taken(self, origin: Hashable) -> None:
        """Note that the API at `origin` has taken the token that was `unproven`."""
        self._origins.pop(origin, None)
        if not self._origins:
            self.unproven = None
