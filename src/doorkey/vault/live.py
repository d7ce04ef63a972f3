"""The keys that one process has used lately: so many, for so long, and never two memories of one key at once."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakValueDictionary

from doorkey.errors import UsageError
from doorkey.stores.forks import after_fork

__all__: list[str] = []


class _Kept(Protocol):
    @property
    def unsaved(self) -> bool: ...


K = TypeVar("K", bound=_Kept)


class LiveKeys(Generic[K]):
    """Makes what is remembered of a key, at most `max_entries` of them, each for `max_age` seconds since its last use.

    What is dropped while somebody still uses it is found again, and what holds an unsaved token is not dropped.
    `clock` returns seconds and never goes backwards.
    """

    def __init__(
        self,
        make: Callable[[str], K],
        max_entries: int,
        max_age: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        number: object = max_entries
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise UsageError("max_sources is a number of keys, 1 or more")
        if not max_age > 0:
            raise UsageError("max_source_age is a number of seconds, more than 0")
        self._make, self._max_entries, self._max_age, self._clock = make, max_entries, max_age, clock
        self._recent: OrderedDict[str, tuple[K, float]] = OrderedDict()  # the longest unused first
        self._unsaved: dict[str, K] = {}
        self._all: WeakValueDictionary[str, K] = WeakValueDictionary()
        self._renew_lock()
        after_fork(self, _with_new_lock)

    def _renew_lock(self) -> None:
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._all)

    def get(self, key: str) -> K:
        """Return what is remembered of `key`."""
        dropped: list[K] = []  # freed after the lock is, whatever their end sets off
        with self._lock:
            now = self._clock()
            entry = self._recent.get(key)
            kept = self._all.get(key) if entry is None else entry[0]
            if kept is None:
                kept = self._all[key] = self._make(key)
            self._recent[key] = kept, now
            self._recent.move_to_end(key)
            while self._is_over(now):
                name, (one, _) = self._recent.popitem(last=False)
                dropped.append(one)
                if one.unsaved:
                    self._unsaved[name] = one
            if self._unsaved:
                self._unsaved = {name: one for name, one in self._unsaved.items() if one.unsaved}
        return kept

    def _is_over(self, now: float) -> bool:
        if len(self._recent) > self._max_entries:
            return True
        _, used = next(iter(self._recent.values()))
        return now - used > self._max_age


def _with_new_lock(live: LiveKeys[Any]) -> None:
    live._renew_lock()
