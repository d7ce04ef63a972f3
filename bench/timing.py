"""Comparing calls on a machine that does other things too.

The contenders take turns, a few calls at a time, each round in another order: what is near in time is disturbed alike.
A round's figure for a contender is the median of its calls, which one interruption does not move. Two contenders are
compared within each round, and the median of those comparisons is the result; how far it may be off is told with it.
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
"""Rounds go on until each contender's time, as a share of the first one's, is known this closely, or time is up."""


class Call(NamedTuple):
    """Seconds that one call took, and those of them that its thread was busy."""

    seconds: float
    cpu: float


Calls = Callable[[int], list[Call]]
"""Makes so many calls and times each."""


class Estimate(NamedTuple):
    """A median, and half the width of its 95 % interval, by ranks: nothing is assumed of how the noise is spread."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What each round found for each contender: the list's index is the round."""

    seconds: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    cpu: dict[str, list[float]] = field(default_factory=dict[str, list[float]])

    def ratio(self, one: str, other: str) -> Estimate:
        """How many times as long `one` takes."""
        return _estimate([a / b for a, b in zip(self.seconds[one], self.seconds[other], strict=True)])

    def cpu_ratio(self, one: str, other: str) -> Estimate:
        """How many times as long a thread is busy in a call of `one`."""
        return _estimate([a / b for a, b in zip(self.cpu[one], self.cpu[other], strict=True)])

    def added_time(self, one: str, other: str) -> Estimate:
        """The seconds that a call of `one` takes longer."""
        return _estimate([a - b for a, b in zip(self.seconds[one], self.seconds[other], strict=True)])

    def added_cpu(self, one: str, other: str) -> Estimate:
        """The seconds that a thread is busier in a call of `one`."""
        return _estimate([a - b for a, b in zip(self.cpu[one], self.cpu[other], strict=True)])

    @property
    def rounds(self) -> int:
        """How many there were."""
        return min(map(len, self.seconds.values()))


def compare(
    contenders: Mapping[str, Calls],
    *,
    limit: float,
    fewest: int = FEWEST_ROUNDS,
    calls: int = CALLS,
    collects: bool = False,
) -> Comparison:
    """Time the contenders against each other, for `limit` seconds at most, and for at least `fewest` rounds.

    calls: those of a contender in a round; twice as many come before the first round. collects: True to collect garbage
    when Python does, in the calls, as in a program that runs for long.
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
                    gc.collect()  # nobody is made to clear away what another left
                made = contenders[name](calls)
                found.seconds[name].append(median(call.seconds for call in made))
                found.cpu[name].append(median(call.cpu for call in made))
    return found


def fewest_rounds(effort: float) -> int:
    """Return the rounds after which a measurement may end; with less effort than usual, not as many."""
    return max(4, round(FEWEST_ROUNDS * min(effort, 1.0)))


def in_turn(names: list[str], turn: int) -> list[str]:
    """Let each begin in its turn, and every other time go backwards: all follow upon all others."""
    at = turn % len(names)
    order = names[at:] + names[:at]
    return order[::-1] if turn // len(names) % 2 else order


def blocking(call: Callable[[], object], *, cpu: Callable[[], float] = time.thread_time) -> Calls:
    """Time calls that block; `cpu` is `time.process_time` for calls that work in several threads."""

    def make(calls: int) -> list[Call]:
        taken: list[Call] = []
        for _ in range(calls):
            busy, begun = cpu(), time.perf_counter()
            call()
            taken.append(Call(time.perf_counter() - begun, cpu() - busy))
        return taken

    return make


def awaiting(call: Callable[[], Awaitable[object]], run: Callable[[Any], list[Call]]) -> Calls:
    """Time calls that are awaited, in the event loop of `run`."""

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
    """Keep this thread on the server's core: the two never run at once, and no sleeping core has to be woken up."""
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
    """Collect garbage between turns instead of in them: whose turn it falls into is chance."""
    gc.collect()
    gc.freeze()  # what lives long is not looked through each time
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def _close_enough(found: Comparison) -> bool:
    if found.rounds % FEWEST_ROUNDS:
        return False  # it need not be asked each time
    first, *others = found.seconds
    return all(found.ratio(other, first).error <= CLOSE_ENOUGH for other in others)


def _estimate(found: list[float]) -> Estimate:
    ordered = sorted(found)
    middle, reach = len(ordered) // 2, round(0.98 * sqrt(len(ordered)))
    low, high = ordered[max(0, middle - reach)], ordered[min(len(ordered) - 1, middle + reach)]
    return Estimate(median(ordered), (high - low) / 2)
