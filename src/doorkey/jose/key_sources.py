"""Key sources for `jwt.decode`: objects that fetch and keep the current keys of an issuer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from doorkey.jose.keys import Key

T = TypeVar("T")


class KeysOfIssuer(ABC):
    """Has the current keys of an issuer, for callers that block: the base of `doorkey.KeySource`."""

    @abstractmethod
    def checked(self, check: Callable[[tuple[Key, ...]], T]) -> T:
        """Return `check(keys)`; where no key verified the token, once more with keys that were fetched again."""


class AsyncKeysOfIssuer(ABC):
    """Has the current keys of an issuer, for callers that await: the base of `doorkey.AsyncKeySource`."""

    @abstractmethod
    async def achecked(self, check: Callable[[tuple[Key, ...]], T]) -> T:
        """Return what `KeysOfIssuer.checked` returns."""
