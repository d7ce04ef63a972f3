"""The pictures of docs/bench-stores.md."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.names import HTTPX_OAUTH2, OURS
from bench.stores_keys import Growth
from bench.stores_waits import Waits

COLORS = {"sqlite": "#1b6ca8", "redis": "#c0392b", "postgres": "#2e7d32", "msal": "#8e6bbf", HTTPX_OAUTH2: "#b8860b"}

Point = tuple[str, int, float]
"""The name of a line, and its points."""


def draw(folder: Path, rows: Sequence[Waits], growth: Sequence[Growth], call: float) -> None:
    """Draw the wait against the number of processes, and the time of a token against the number of keys."""
    workers = [(row.kind, row.workers, row.p99 * 1e3) for row in rows if row.library == OURS]
    keys = [(row.kind if row.library == OURS else row.library, row.keys, row.read * 1e6) for row in growth]
    _draw(folder / "bench-stores-workers.png", workers, "processes", "p99 wait, ms", floor=call * 1e3)
    _draw(folder / "bench-stores-keys.png", keys, "keys", "a token that is not remembered, µs", decades=True)


def _draw(
    file: Path, points: Sequence[Point], along: str, up: str, *, floor: float | None = None, decades: bool = False
) -> None:
    matplotlib: Any = import_module("matplotlib")
    matplotlib.use("Agg")
    plt: Any = import_module("matplotlib.pyplot")
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for name in dict.fromkeys(name for name, _, _ in points):
        line = [(x, y) for one, x, y in points if one == name]
        style = "o-" if name not in ("msal", HTTPX_OAUTH2) else "s--"
        axes.plot(*zip(*line, strict=True), style, label=name, color=COLORS[name])
    if floor is not None:
        axes.axhline(floor, linestyle=":", color="grey", label="the token call")
    axes.set(xscale="log", xlabel=along, ylabel=up)
    axes.set(yscale="log") if decades else axes.set(ylim=(0, None))
    ticks = sorted({x for _, x, _ in points})
    axes.set_xticks(ticks, [f"{x:,}" for x in ticks])
    axes.minorticks_off()
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=110)
    plt.close(figure)
