"""Compares calls on a machine that also runs other processes.

The contenders take turns, a few calls at a time, each round in another order, because calls that are near in time are
disturbed equally. A round's figure for a contender is the median of its calls, which one interruption does not change.
Two contenders are compared within each round, and the result is the median of those comparisons with its error.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from math import sqrt
from statistics import median
from typing import Any, NamedTuple

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
CALLS = 10
FEWEST_ROUNDS = 40
CLOSE_ENOUGH = 0.002
"""Rounds continue until the ratio of each contender's time to that of the first has this error, or the time is up."""


class Call(NamedTuple):
    """The seconds that one call took, and the CPU seconds of its thread."""

    seconds: float
    cpu: float


Calls = Callable[[int], list[Call]]
"""Makes this number of calls and times each."""


class Estimate(NamedTuple):
    """A median, and half the width of its 95 % interval by ranks, which assumes no distribution of the noise."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The figures of each contender; the index of a list is the round."""

    seconds: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    cpu: dict[str, list[float]] = field(default_factory=dict[str, list[float]])

    def ratio(self, one: str, other: str) -> Estimate:
        """Return the time of `one` as a multiple of that of `other`."""
        return _estimate([a / b for a, b in zip(self.seconds[one], self.seconds[other], strict=True)])

    def cpu_ratio(self, one: str, other: str) -> Estimate:
        """Return the CPU time of a call of `one` as a multiple of that of `other`."""
        return _estimate([a / b for a, b in zip(self.cpu[one], self.cpu[other], strict=True)])

    def added_time(self, one: str, other: str) -> Estimate:
        """Return the seconds that a call of `one` takes longer than one of `other`."""
        return _estimate([a - b for a, b in zip(self.seconds[one], self.seconds[other], strict=True)])

    def added_cpu(self, one: str, other: str) -> Estimate:
        """Return the CPU seconds that a call of `one` takes in addition to those of `other`."""
        return _estimate([a - b for a, b in zip(self.cpu[one], self.cpu[other], strict=True)])

    @property
    def rounds(self) -> int:
        """The number of rounds."""
        return min(map(len, self.seconds.values()))


def compare(
    contenders: Mapping[str, Calls],
    *,
    limit: float,
    fewest: int = FEWEST_ROUNDS,
    calls: int = CALLS,
    collects: bool = False,
) -> Comparison:
    """Compare the times of the contenders, for at most `limit` seconds, but for at least `fewest` rounds.

    calls: the calls of a contender in a round; twice as many warm-up calls come before the first round. collects: True
    for automatic garbage collection during the calls, as in a long-running program.
    """
    names = list(contenders)
    found = Comparison({name: [] for name in names}, {name: [] for name in names})
    with alone_on_a_core(), nullcontext() if collects else _tidy():
        for name in names:
            contenders[name](2 * calls)  # connections are opened, caches filled
        ends = time.perf_counter() + limit
        while found.rounds < fewest or (time.perf_counter() < ends and not _close_enough(found)):
            for name in in_turn(names, found.rounds):
                if not collects:
                    gc.collect()  # no contender must collect the garbage of another
                made = contenders[name](calls)
                found.seconds[name].append(median(call.seconds for call in made))
                found.cpu[name].append(median(call.cpu for call in made))
    return found


def fewest_rounds(effort: float) -> int:
    """Return the minimum number of rounds of a measurement, which is lower if `effort` is below 1."""
    return max(4, round(FEWEST_ROUNDS * min(effort, 1.0)))


def in_turn(names: list[str], turn: int) -> list[str]:
    """Return the order of a round: each name begins in turn, and the order is reversed in every other cycle.

    So each name follows each other name.
    """
    at = turn % len(names)
    order = names[at:] + names[:at]
    return order[::-1] if turn // len(names) % 2 else order


def blocking(call: Callable[[], object], *, cpu: Callable[[], float] = time.thread_time) -> Calls:
    """Time blocking calls; pass `time.process_time` as `cpu` for calls that use several threads."""

    def make(calls: int) -> list[Call]:
        taken: list[Call] = []
        for _ in range(calls):
            busy, begun = cpu(), time.perf_counter()
            call()
            taken.append(Call(time.perf_counter() - begun, cpu() - busy))
        return taken

    return make


def awaiting(call: Callable[[], Awaitable[object]], run: Callable[[Any], list[Call]]) -> Calls:
    """Time awaited calls in the event loop of `run`."""

    async def make(calls: int) -> list[Call]:
        taken: list[Call] = []
        for _ in range(calls):
            busy, begun = time.thread_time(), time.perf_counter()
            await call()
            taken.append(Call(time.perf_counter() - begun, time.thread_time() - busy))
        return taken

    return lambda calls: run(make(calls))


@contextmanager
def alone_on_a_core() -> Generator[None]:
    """Keep this thread on the server's core: both never run at the same time, and no sleeping core must wake up."""
    if not CORES:
        yield
        return
    os.sched_setaffinity(0, CORES[-1:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, CORES)


@contextmanager
def _tidy() -> Generator[None]:
    """Collect garbage between turns, because in a turn it would disturb a random contender."""
    gc.collect()
    gc.freeze()  # so that long-lived objects are not scanned each time
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def _close_enough(found: Comparison) -> bool:
    if found.rounds % FEWEST_ROUNDS:
        return False  # this check is not needed in each round
    first, *others = found.seconds
    return all(found.ratio(other, first).error <= CLOSE_ENOUGH for other in others)


def _estimate(found: list[float]) -> Estimate:
    ordered = sorted(found)
    middle, reach = len(ordered) // 2, round(0.98 * sqrt(len(ordered)))
    low, high = ordered[max(0, middle - reach)], ordered[min(len(ordered) - 1, middle + reach)]
    return Estimate(median(ordered), (high - low) / 2)
