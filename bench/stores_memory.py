"""The growth of a process that reads a million keys: `python -m bench.stores_memory <kind> <address> <keys>`.

It runs in a new process, because memory that was freed before could be reused.
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
"""The target in bytes, independent of the number of keys."""


class Memory(NamedTuple):
    """The growth of the process in bytes, the number of keys that the vault keeps in memory, and the seconds in all."""

    kind: str
    keys: int
    grown: int
    remembered: int
    seconds: float


def of_a_vault(place: Place, keys: int) -> Memory:
    """Read the tokens of this number of keys through a vault, one after the other. The store has all of them."""
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
