"""The table, for a terminal and for docs/bench.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench import httpx_oauth2
from bench.added_time import SECONDS
from bench.names import HTTPX_OAUTH2
from bench.row import Row

COLUMNS = ("what", "doorkey", "peer", "ratio", "target", "")
PACKAGES = ("httpx2", "requests", "authlib", "requests-oauthlib")

METHOD = f"""\
Over loopback, the server is another process and connections are kept alive. In memory, there is no socket, so that
only the work of the clients is measured. The contenders take turns in changing order, ten calls each, with client and
server on one core. Garbage is collected between the turns. A round's figure is the median of its ten calls. Ratios
are computed within each round, and the table has their median with its 95 % interval. Rounds continue until that is
± 0.002, or for {SECONDS:.0f} seconds. The cost that a client adds to a bare client is the CPU time of its thread,
compared in the same way. The time of an import is the minimum of many fresh interpreters. The longest stall is the
minimum of ten rounds, because the stalls that the code causes are in every round. httpx-oauth2 and doorkey's
transport are compared on httpx in a separate environment, because the module `jwt` of httpx-oauth2 is not the one of
msal. A line without a target is only a comparison.
"""


def circumstances() -> str:
    """Return the versions of Python and the packages, and the load of the machine."""
    versions = {**{name: version(name) for name in PACKAGES}, HTTPX_OAUTH2: httpx_oauth2.version()}
    packages = ", ".join(map(" ".join, versions.items()))
    load = os.getloadavg()[0]
    return f"Python {platform.python_version()}, {os.cpu_count()} CPUs, load {load:.1f}; {packages}."


def show(rows: Sequence[Row], console: Console) -> None:
    show_rows(rows, console)
    console.print(circumstances())


def show_rows(rows: Sequence[Row], console: Console) -> None:
    table = Table(*COLUMNS)
    for row in rows:
        style = {True: "green", False: "bold red", None: ""}[row.met]
        cells = (row.name, row.ours, row.peer, row.ratio, row.target)
        table.add_row(*map(Text, cells), Text(row.verdict, style))
    console.print(table)
    missed = [row for row in rows if row.met is False]
    for row in missed:
        console.print(Text(f"NOT MET: {row.name}: {row.ratio or row.ours}, target {row.target}", "bold red"))
    if not missed:
        console.print("[green]Every target is met.")


def markdown(rows: Sequence[Row]) -> str:
    """Return the page."""
    head = ["# Measured", "", "`./dev bench --write` wrote this page.", circumstances()]
    return "\n".join([*head, "", METHOD, *table_of(rows), ""])


def table_of(rows: Sequence[Row]) -> list[str]:
    """Return the lines of a table."""
    lines = ["| what | doorkey | peer | ratio | target | result |", "|---|---|---|---|---|---|"]
    return lines + [f"| {r.name} | {r.ours} | {r.peer} | {r.ratio} | {r.target} | {r.verdict} |" for r in rows]
