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
Over loopback the server is another process and connections are kept alive; in memory there is no socket at all, so
that only the clients' own work is left. The contenders take turns, ten calls each, in changing order, client and server
on one core, with garbage collected between the turns. A round's figure is the median of its ten calls; ratios are made
within each round, and their median is given with its 95 % interval. Rounds go on until that is ± 0.002, or for
{SECONDS:.0f} seconds. What a client adds to a bare one is counted in CPU time of its thread, and compared likewise.
Imports are the least of many fresh interpreters. Of the longest stalls of ten rounds the least counts: the code's own
are in every round. httpx-oauth2 is measured, beside doorkey's transport, in an environment of its own (its module `jwt`
is not the one that msal brings), on httpx. A line without a target is there to compare.
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
