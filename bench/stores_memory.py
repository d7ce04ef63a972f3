"""By how much a process grows that asks for a million keys: `python -m bench.stores_memory <kind> <address> <keys>`.

In a process of its own, in which nothing was freed before that could be used again.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from bench.machine import resident
from bench.stores_fill import FIRST, named
from bench.stores_keys import ENDPOINT
from bench.stores_places import Place
from bench.stores_worker import store_at, vault_of

BUDGET = 64 * 2**20
"""In bytes, however many keys there are."""


class Memory(NamedTuple):
    """The bytes that the process has grown by, how many keys the vault remembers, and the seconds that all took."""

    kind: str
    keys: int
    grown: int
    remembered: int
    seconds: float


def of_a_vault(place: Place, keys: int) -> Memory:
    """Ask a vault for the tokens of so many keys, one after the other; the store has them all."""
    command = [sys.executable, "-m", "bench.stores_memory", *place, str(keys)]
    done = subprocess.run(
        command, cwd=Path(__file__).resolve().parents[1], stdout=subprocess.PIPE, text=True, check=True
    )
    return Memory(place.kind, keys, *json.loads(done.stdout))


def _asked(place: Place, keys: int) -> tuple[int, int, float]:
    with vault_of(store_at(*place), ENDPOINT) as vault:
        vault.source(named(FIRST)).token()
        before, began = resident(), time.perf_counter()
        for number in range(keys):
            vault.source(named(number)).token()
        return resident() - before, len(vault._keys), time.perf_counter() - began


if __name__ == "__main__":
    print(json.dumps(_asked(Place(*sys.argv[1:3]), int(sys.argv[3]))))
