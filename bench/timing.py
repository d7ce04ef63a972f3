"""Comparing calls on a machine that does other things too.

The contenders take turns in short rounds, each time in another order, so that whatever disturbs one disturbs all. Of a
contender's rounds the quickest quarter counts, by its median: noise only ever adds time. How much it added is told.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

Calls = Callable[[int], None]
"""Makes so many calls."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds for one call: in the quickest quarter of the rounds, in all of them, and of CPU."""

    best: float
    usual: float
    cpu: float

    @property
    def noise(self) -> float:
        """What share the machine usually added."""
        return self.usual / self.best - 1


def compare(contenders: Mapping[str, Calls], *, rounds: int, calls: int) -> dict[str, Timing]:
    """Time every contender for `rounds` rounds of `calls` calls each."""
    names = list(contenders)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    cpu: dict[str, list[float]] = {name: [] for name in names}
    for name in names:
        contenders[name](calls)  # connections are opened, caches filled
    for turn in range(rounds):
        at = turn % len(names)
        for name in names[at:] + names[:at]:
            begun, busy = time.perf_counter(), time.thread_time()
            contenders[name](calls)
            cpu[name].append((time.thread_time() - busy) / calls)
            seconds[name].append((time.perf_counter() - begun) / calls)
    return {name: Timing(_best(seconds[name]), median(seconds[name]), _best(cpu[name])) for name in names}


def _best(found: list[float]) -> float:
    return median(sorted(found)[: max(1, len(found) // 4)])
