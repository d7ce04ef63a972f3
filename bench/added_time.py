"""The cost that a library adds to a request of a bare client, from the timings of one comparison."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Final

from bench.names import BARE, OURS, PLAIN_AUTH
from bench.row import Row, microseconds
from bench.timing import Comparison

_NONE: Final[Mapping[str, float]] = {}

SECONDS = 12.0
"""The maximum duration of one comparison."""


def rows(
    what: str, found: Comparison, *, time: Mapping[str, float] = _NONE, cpu: Mapping[str, float] = _NONE
) -> list[Row]:
    """Return the rows that compare doorkey with the bare clients, and with the CPU time that each peer adds to them.

    time: the targets as multiples of the time of a bare client. cpu: the targets as multiples of the added CPU time of
    a peer.
    """
    table: list[Row] = []
    for name in (BARE, PLAIN_AUTH):
        if name in found.seconds:
            limit = time.get(name)
            ratio = found.ratio(OURS, name)
            table.append(
                Row(
                    f"{what}: a request",
                    microseconds(median(found.seconds[OURS])),
                    f"{name} {microseconds(median(found.seconds[name]))}",
                    f"{ratio.value:.3f} ± {ratio.error:.3f}",
                    f"≤ {limit:.2f}" if limit else "",
                    ratio.value <= limit if limit else None,
                )
            )
    # The added time is small compared to the time on the wire, which other processes extend. CPU time is not disturbed.
    base = PLAIN_AUTH if PLAIN_AUTH in found.cpu else BARE
    ours = found.added_cpu(OURS, base)
    for name in (name for name in found.cpu if name not in (BARE, PLAIN_AUTH, OURS)):
        theirs = found.added_cpu(name, base)
        limit = cpu.get(name)
        error = (abs(ours.error) + abs(ours.value / theirs.value) * theirs.error) / theirs.value
        table.append(
            Row(
                f"{what}: CPU time added to {base}",
                microseconds(ours.value),
                f"{name} {microseconds(theirs.value)}",
                f"{ours.value / theirs.value:.2f} ± {error:.2f}" if theirs.value > 0 else "",
                f"≤ {limit:.2f}" if limit else "",
                ours.value <= theirs.value * limit if limit else None,
            )
        )
    return table
