"""The polling interval while another process renews: short enough to notice the end soon, but without a high load."""

from __future__ import annotations

from typing import Final

__all__: list[str] = []

SHORTEST: Final = 0.01
"""The shortest pause between two reads of the store, in seconds, before it is scattered."""
LONGEST: Final = 1.0
"""The longest pause in seconds, by which a waiter may notice the end of a lease too late."""
REMEMBERED: Final = 8
"""The number of the last renewals whose durations are kept."""


class Pace:
    """The durations of the last renewals of one vault that this process has seen.

    All keys of a vault are renewed at the same server, so the next renewal is expected to take as long as the shortest
    of the last few: a read that is too early costs one more read, and one that is too late costs the caller's time. A
    single renewal is no basis, because the first one opens connections. Thread-safe, but if two threads add a duration
    at the same time, one of them may be lost.
    """

    __slots__ = ("_took",)

    def __init__(self) -> None:
        self._took: tuple[float, ...] = ()

    def took(self, seconds: float) -> None:
        """Record the duration of a renewal in seconds."""
        self._took = (*self._took, max(seconds, 0.0))[-REMEMBERED:]

    @property
    def expected(self) -> float:
        """The expected duration of the next renewal in seconds, or 0 if it is unknown."""
        took = self._took
        return min(took) if len(took) > 1 else 0.0

    def pause(self, waited: float, reading: float, jitter: float) -> float:
        """Return the seconds until the next read of the store.

        waited: seconds since the waiter began.
        reading: seconds that the last read took.
        jitter: a random number from 0 to 1, which scatters the reads of different waiters.

        The first read is at the time when the renewal should be almost done. Further pauses are an eighth of the wait
        so far, which bounds the delay after the end, or a quarter if no duration is expected. A pause is at least twice
        the time of a read, before it is scattered. Otherwise the waiters would slow down the store, and with it the
        process that they wait for.
        """
        expected = self.expected
        ahead = 0.9 * expected - waited
        if ahead > SHORTEST:
            return min(ahead, LONGEST) * (0.9 + jitter / 10)
        share = waited / 8 if expected else waited / 4
        return min(max(share, 2 * reading, SHORTEST), LONGEST) * (0.5 + jitter / 2)
