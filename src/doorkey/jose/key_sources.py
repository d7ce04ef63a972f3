"""Key sources for `jwt.decode`: objects that fetch and cache the current keys of an issuer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from doorkey.jose.keys import Key

T = TypeVar("T")


class KeysOfIssuer(ABC):
    """The current keys of an issuer, for blocking callers. The base class of `doorkey.KeySource`."""

    @abstractmethod
    def checked(self, check: Callable[[tuple[Key, ...]], T]) -> T:
        """Return `check(keys)`. If no key verifies the token, fetch the keys again and call `check` once more."""


class AsyncKeysOfIssuer(ABC):
    """The current keys of an issuer, for awaiting callers. The base class of `doorkey.AsyncKeySource`."""

    @abstractmethod
    async def achecked(self, check: Callable[[tuple[Key, ...]], T]) -> T:
        """Return the result of `check` as `KeysOfIssuer.checked` does."""
