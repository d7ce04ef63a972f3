"""The tables of the stores for a terminal, and docs/bench-stores.md with its pictures."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console

DOCS = Path(__file__).resolve().parents[1] / "docs"
COLOURS = {"sqlite": "#1b6ca8", "redis": "#c0392b", "postgres": "#2e7d32"}


def write(
    rows: Sequence[Any], growth: Sequence[Any], memory: str, call: float, console: Console, *, page: bool
) -> None:
    """Print the page; with `page` write it and its pictures too."""
    text = _markdown(rows, growth, memory, call)
    console.print(text, markup=False, highlight=False)
    if page:
        (DOCS / "bench-stores.md").write_text(text, encoding="utf-8")
        _draw(rows, growth, call)


def _markdown(rows: Sequence[Any], growth: Sequence[Any], memory: str, call: float) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("redis", "sqlalchemy", "msal", "msal-extensions"))
    lines = [
        "# Stores, measured",
        "",
        "`./dev bench --stores --write` wrote this page.",
        f"Python {platform.python_version()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}; {packages}.",
        "",
        "## Processes that find one token expired",
        "",
        f"All ask at once; the token call takes {call * 1e3:.0f} ms, a refresh token works once, and a second use ends",
        "the grant. The ratio is the 99th percentile of the wait over the token call.",
        "",
        "| library | store | processes | median wait | p99 wait | ratio | requests per rotation | grant |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        grant = "kept" if row.lost_after is None else f"lost in rotation {row.lost_after}"
        waited = row.lost_after is None or row.lost_after > 1
        shown = (
            (f"{row.middle * 1e3:.0f} ms", f"{row.p99 * 1e3:.0f} ms", f"{row.p99 / call:.2f}") if waited else ("",) * 3
        )
        lines.append(
            f"| {row.library} | {row.kind} | {row.workers} | {' | '.join(shown)} | {row.requests:.2f} | {grant} |"
        )
    lines += [
        "",
        "![wait against processes](bench-stores-workers.png)",
        "",
        "`a lock alone` is what programs write by hand: a file lock around the refresh, without reading again. msal",
        "shares its cache in a locked file by msal-extensions. httpx-oauth2 shares nothing between processes, and",
        "cannot be installed beside msal: both bring a module `jwt`, and not the same one.",
        "",
        "## A fresh token of a key that is not remembered",
        "",
        "| store | keys | median |",
        "|---|---|---|",
        *(f"| {row.kind} | {row.keys:,} | {row.seconds * 1e6:.0f} µs |" for row in growth),
        "",
        "![time against keys](bench-stores-keys.png)",
        "",
        "## Memory",
        "",
        memory + ".",
        "",
    ]
    return "\n".join(lines)


def _draw(rows: Sequence[Any], growth: Sequence[Any], call: float) -> None:
    matplotlib: Any = import_module("matplotlib")
    matplotlib.use("Agg")
    plt: Any = import_module("matplotlib.pyplot")
    ours = [row for row in rows if row.library == "doorkey"]
    for name, label, series, unit in (
        ("bench-stores-workers.png", "processes", [(r.kind, r.workers, r.p99 * 1e3) for r in ours], "p99 wait, ms"),
        ("bench-stores-keys.png", "keys in the store", [(r.kind, r.keys, r.seconds * 1e6) for r in growth], "µs"),
    ):
        figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
        for kind in dict.fromkeys(kind for kind, _, _ in series):
            points = [(x, y) for one, x, y in series if one == kind]
            axes.plot(*zip(*points, strict=True), "o-", label=kind, color=COLOURS[kind])
        if "workers" in name:
            axes.axhline(call * 1e3, linestyle=":", color="grey", label="the token call")
        axes.set(xscale="log", xlabel=label, ylabel=unit, ylim=(0, None))
        axes.set_xticks(sorted({x for _, x, _ in series}), [str(x) for x in sorted({x for _, x, _ in series})])
        axes.minorticks_off()
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(DOCS / name, dpi=110)
        plt.close(figure)
