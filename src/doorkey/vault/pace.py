"""The polling interval while another process renews: it notices the end soon, and does not slow that process down."""

from __future__ import annotations

from typing import Final

__all__: list[str] = []

SHORTEST: Final = 0.01
"""Seconds: of the pauses between two looks, whatever is known."""
LONGEST: Final = 1.0
"""Seconds: a holder that died is noticed after so many more."""
REMEMBERED: Final = 8
"""Renewals."""


class Pace:
    """The duration of the renewals of one vault, as far as this process has seen.

    All keys of a vault are renewed at the same server, so what some took is expected of the next: the shortest of the
    last few, because looking too early costs a look, and too late costs the caller's time. A single one tells nothing:
    the first sets up connections. Safe to share between threads: of two that note at once one may count.
    """

    __slots__ = ("_took",)

    def __init__(self) -> None:
        self._took: tuple[float, ...] = ()

    def took(self, seconds: float) -> None:
        """Note that a renewal took so many seconds."""
        self._took = (*self._took, max(seconds, 0.0))[-REMEMBERED:]

    @property
    def expected(self) -> float:
        """Seconds that the next one takes, or 0 where that is not known."""
        took = self._took
        return min(took) if len(took) > 1 else 0.0

    def pause(self, waited: float, looking: float, chance: float) -> float:
        """Return the seconds until the next look, after `waited` in all; the last look took `looking`.

        The first look is when the renewal should be almost done. Then it is an eighth of the wait so far, so that the
        end is missed by no more, or a quarter where nothing is known; and at least what looking takes, or all who wait
        would keep the store, and the machine, from the one they wait for. `chance` of 0…1 scatters them.
        """
        expected = self.expected
        ahead = 0.9 * expected - waited
        if ahead > SHORTEST:
            return min(ahead, LONGEST) * (0.9 + chance / 10)
        share = waited / 8 if expected else waited / 4
        return min(max(share, 2 * looking, SHORTEST), LONGEST) * (0.5 + chance / 2)
