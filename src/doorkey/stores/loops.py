"""One client for each event loop, because a connection belongs to the loop that created it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from doorkey.errors import UsageError
from doorkey.runtime.forks import ForkSafeLock, after_fork

__all__: list[str] = []

T = TypeVar("T")


class PerLoop(Generic[T]):
    """Creates a client with `make`, once for each asyncio loop."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = ForkSafeLock()
        self.forget()
        after_fork(self, _forget)

    def forget(self) -> None:
        """Forget all clients without closing them."""
        self._made: dict[asyncio.AbstractEventLoop, T] = {}

    def get(self) -> T:
        """Return the client of the running loop. Raises `UsageError` if no asyncio loop is running."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise UsageError("this store runs on asyncio: its library supports no other event loop") from None
        with self._lock:
            if loop not in self._made:
                for ended in [known for known in self._made if known.is_closed()]:
                    del self._made[ended]
                self._made[loop] = self._make()
            return self._made[loop]

    def pop(self) -> T | None:
        """Remove and return the client of the running loop, or None. The caller closes it."""
        with self._lock:
            return self._made.pop(asyncio.get_running_loop(), None)


def _forget(owner: PerLoop[Any]) -> None:
    owner.forget()
