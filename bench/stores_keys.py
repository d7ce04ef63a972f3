"""The cost of a key among many: reading a fresh token that is not in memory, and saving a change."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random
from statistics import median
from typing import NamedTuple

from bench.names import OURS
from bench.stores_fill import FIRST, fill, named
from bench.stores_places import Place
from bench.stores_worker import store_at, vault_of
from doorkey.tokens import OAuthToken

ENDPOINT = "https://as.example/token"
SIZES = (10, 100, 1000, 10_000, 100_000, 1_000_000)
READINGS, SAVINGS = 500, 50
ENOUGH = 5.0
"""The maximum number of seconds for one figure."""


class Growth(NamedTuple):
    """The seconds to read and to save a token in a store with this number of keys, and the growth of the process."""

    library: str
    kind: str
    keys: int
    read: float
    save: float | None = None
    memory: int | None = None


def sizes(effort: float) -> list[int]:
    """Return the numbers of keys to measure."""
    return [size for size in SIZES if size <= SIZES[-1] * effort]


def among_ours(place: Place, effort: float) -> list[Growth]:
    """Measure with a growing number of keys in a store. The vault keeps no key in memory."""
    rows: list[Growth] = []
    filled = FIRST + 1
    with vault_of(store_at(*place), ENDPOINT, max_sources=1) as vault:
        vault.save(named(FIRST), _token())
        for size in sizes(effort):
            fill(place, filled, size)
            filled = size
            read = middle(READINGS, size, lambda key: vault.source(key).token())
            save = middle(SAVINGS, size, lambda key: vault.save(key, _token()))
            rows.append(Growth(OURS, place.kind, size, read, save))
    return rows


def middle(times: int, size: int, work: Callable[[str], object]) -> float:
    """Return the median seconds of the work for random keys of the first `size`. Stops early if it takes too long."""
    choice = Random(size)  # noqa: S311  # the choice is not a secret
    taken: list[float] = []
    for _ in range(times):
        key = named(choice.randrange(size))
        began = time.perf_counter()
        work(key)
        taken.append(time.perf_counter() - began)
        if sum(taken) > ENOUGH:
            break
    return median(taken)


def _token() -> OAuthToken:
    members = {"access_token": "a" * 1000, "refresh_token": "r" * 500, "expires_in": 36_000}
    return OAuthToken.from_mapping(members, now=time.time())
