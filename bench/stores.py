"""`./dev bench --stores`: the cost of sharing tokens between processes, and the time that they wait.

With `--write`, writes docs/bench-stores.md and its pictures.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

from bench import stores_memory, stores_page
from bench.names import OURS
from bench.row import MISSED
from bench.stores_drawing import draw
from bench.stores_keys import Growth, among_ours, sizes
from bench.stores_keys_peers import among_httpx_oauth2, among_msal
from bench.stores_memory import Memory
from bench.stores_places import Place, places
from bench.stores_server import TOKEN_SECONDS
from bench.stores_waits import WORKERS, Waits, waits

DOCS = Path(__file__).resolve().parents[1] / "docs"


def measure(effort: float, console: Console) -> tuple[list[Waits], list[Growth], Memory]:
    """Measure everything; `effort` is a factor on the number of rounds and keys."""
    rounds = max(3, int(30 * effort))
    rows: list[Waits] = []
    growth: list[Growth] = []

    def told(*found: Any) -> None:
        for one in found:
            console.print(one)

    with tempfile.TemporaryDirectory() as folder, places(Path(folder)) as found:
        for place in found:
            for workers in WORKERS:
                rows.append(waits(OURS, place, workers, rounds))
                told(rows[-1])
        for library in ("msal", "a lock alone"):
            rows.append(waits(library, Place("file", str(Path(folder) / library.replace(" ", "-"))), 8, rounds))
            told(rows[-1])
        for place in found:
            growth += among_ours(place, effort)
            told(*growth[-len(sizes(effort)) :])
        memory = stores_memory.of_a_vault(found[0], sizes(effort)[-1])
        told(memory)
    for measured in (among_msal(effort), among_httpx_oauth2(effort)):
        growth += measured
        told(*measured)
    return rows, growth, memory


def main(effort: float, console: Console, *, page: bool) -> int:
    """Measure and print, and with `page` also write the page and its pictures. Return 1 if a target is not met."""
    rows, growth, memory = measure(effort, console)
    text = stores_page.page(rows, growth, memory, TOKEN_SECONDS)
    console.print(text, markup=False, highlight=False, soft_wrap=True)
    if page:
        (DOCS / "bench-stores.md").write_text(text, encoding="utf-8")
        draw(DOCS, rows, growth, TOKEN_SECONDS)
    return int(MISSED in text)
