"""What a request costs beyond a bare client's, from the timings of one comparison."""

from __future__ import annotations

from collections.abc import Mapping

from bench.peers import AUTHLIB, BARE, OURS, PLAIN_AUTH
from bench.row import Row, microseconds
from bench.timing import Timing


def rows(what: str, found: Mapping[str, Timing], *, of_bare: float, of_authlib: float | None = None) -> list[Row]:
    """Compare with the bare client (at most `of_bare` times its time) and with what each peer adds to it."""
    ours = found[OURS].best
    noise = max(one.noise for one in found.values())
    table = [
        Row(
            f"{what}: a request (noise {noise:.0%})",
            microseconds(ours),
            f"{name} {microseconds(found[name].best)}",
            f"{ours / found[name].best:.3f}",
            f"≤ {of_bare:.2f}" if name == BARE else "",
            ours <= found[name].best * of_bare if name == BARE else None,
        )
        for name in (BARE, PLAIN_AUTH)
        if name in found
    ]
    # What is added is small beside the time on the wire, which other processes stretch; CPU time they do not.
    bare, ours = found.get(PLAIN_AUTH, found[BARE]).cpu, found[OURS].cpu
    for name in (name for name in found if name not in (BARE, PLAIN_AUTH, OURS)):
        theirs = found[name].cpu - bare
        limit = of_authlib if name == AUTHLIB else None
        table.append(
            Row(
                f"{what}: CPU time added to bare",
                microseconds(ours - bare),
                f"{name} {microseconds(theirs)}",
                f"{(ours - bare) / theirs:.2f}" if theirs > 0 else "",
                f"≤ {limit:.2f}" if limit else "",
                ours - bare <= theirs * limit if limit else None,
            )
        )
    return table
