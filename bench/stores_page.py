"""The page docs/bench-stores.md with the tables of the stores."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version

from bench import httpx_oauth2
from bench.names import HTTPX_OAUTH2, OURS
from bench.row import MISSED, microseconds, milliseconds
from bench.stores_keys import Growth
from bench.stores_keys_peers import TOO_LONG
from bench.stores_memory import BUDGET, Memory
from bench.stores_waits import Waits

PROMISED, LONGEST = 8, 1.5
"""The number of processes, and the target for their 99th percentile of the wait, in durations of a token request."""


def page(rows: Sequence[Waits], growth: Sequence[Growth], memory: Memory, call: float) -> str:
    """Return the page; `call` is the duration of a token request in seconds."""
    return "\n".join([*_heading(), *_waiting(rows, call), *_growing(growth), *_remembering(growth, memory), ""])


def _heading() -> list[str]:
    versions = {name: version(name) for name in ("redis", "sqlalchemy", "msal", "msal-extensions")}
    versions[HTTPX_OAUTH2] = httpx_oauth2.version()
    packages = ", ".join(map(" ".join, versions.items()))
    return [
        "# Stores, measured",
        "",
        "`./dev bench --stores --write` wrote this page.",
        f"Python {platform.python_version()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}; {packages}.",
        "",
    ]


def _waiting(rows: Sequence[Waits], call: float) -> list[str]:
    lines = [
        "## Processes that find one token expired",
        "",
        f"All processes request the token at once. A token request takes {call * 1e3:.0f} ms, a refresh token works",
        "once, and a second use ends the grant. The ratio is the 99th percentile of the wait, divided by the duration",
        "of the token request.",
        "",
        "| library | store | processes | median wait | p99 wait | ratio | target | requests per rotation | grant |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        grant = "kept" if row.lost_after is None else f"lost in rotation {row.lost_after}"
        waited = row.lost_after is None or row.lost_after > 1
        shown = [f"{row.middle * 1e3:.0f} ms", f"{row.p99 * 1e3:.0f} ms", f"{row.p99 / call:.2f}"]
        target = ""
        if (row.library, row.workers) == (OURS, PROMISED):
            target = f"≤ {LONGEST:.2f}, {'met' if row.p99 / call <= LONGEST else MISSED}"
        cells = [row.library, row.kind, row.workers, *(shown if waited else ("",) * 3), target]
        lines.append(_row(*cells, f"{row.requests:.2f}", grant))
    return [
        *lines,
        "",
        "![wait against processes](bench-stores-workers.png)",
        "",
        "`a lock alone` is a typical hand-written solution: a file lock around the refresh, without a second read.",
        "msal shares its cache in a locked file of msal-extensions. httpx-oauth2 shares nothing between processes.",
        "",
    ]


def _growing(growth: Sequence[Growth]) -> list[str]:
    return [
        "## A token among many keys",
        "",
        "`read` is the median time to get a fresh token of a key that is not in memory, and `save` that of replacing",
        "it. The store saves the first record, and the database copies it to the other keys. msal is called as its",
        "documents show, for the account by its name and then for its token. It writes the whole file at each change.",
        f"If a change takes more than {TOO_LONG:.0f} s, larger numbers of keys are not measured. httpx-oauth2 keeps",
        "every token in memory and saves none. It runs in a separate environment, because it and msal each contain a",
        "module `jwt`.",
        "",
        "| library | store | keys | read | save |",
        "|---|---|---|---|---|",
        *(_row(row.library, row.kind, f"{row.keys:,}", _short(row.read), _short(row.save)) for row in growth),
        "",
        "![time against keys](bench-stores-keys.png)",
        "",
    ]


def _remembering(growth: Sequence[Growth], memory: Memory) -> list[str]:
    met = "met" if memory.grown <= BUDGET else MISSED
    each = memory.seconds / memory.keys
    lines = [
        "## Memory",
        "",
        "The growth of a process that gets the token of each key, one after the other. A vault keeps the keys in",
        f"memory that it used last, here {memory.remembered:,}. It reads the others: {microseconds(each)} per key.",
        "",
        "| library | keys | grown by | target | result |",
        "|---|---|---|---|---|",
        _row(OURS, f"{memory.keys:,}", _mebibytes(memory.grown), f"≤ {_mebibytes(BUDGET)}", met),
    ]
    rows = [row for row in growth if row.memory is not None]
    return lines + [_row(row.library, f"{row.keys:,}", _mebibytes(row.memory or 0), "", "") for row in rows[-1:]]


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _short(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:.1f} s" if seconds >= 1 else milliseconds(seconds) if seconds >= 0.001 else microseconds(seconds)


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB"
