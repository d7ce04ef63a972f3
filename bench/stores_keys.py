"""What a key costs: read from the store, among so many others; remembered, a million of them one after the other."""

from __future__ import annotations

import os
import time
from random import Random
from statistics import median
from typing import NamedTuple

from bench.stores_places import Place
from bench.stores_worker import CLIENT, store_at
from doorkey.stores import Lease, Record
from doorkey.stores.envelope import pack
from doorkey.tokens import OAuthToken
from doorkey.vault import TokenVault

ENDPOINT = "https://as.example/token"
SIZES = (10, 100, 1000, 10_000)
READINGS = 500


class Growth(NamedTuple):
    """The seconds that a fresh token of a key that is not remembered takes, in a store of so many keys."""

    kind: str
    keys: int
    seconds: float


def unremembered(place: Place, effort: float) -> list[Growth]:
    """Measure the reading of keys among more and more of them."""
    rows: list[Growth] = []
    choice, saved = Random(1), 0  # noqa: S311  # it chooses, and hides nothing
    data = _data()
    with TokenVault(store_at(*place), **CLIENT, token_endpoint=ENDPOINT, max_sources=1) as vault:  # type: ignore[arg-type]
        for size in SIZES:
            if size > 10_000 * max(effort, 0.01):
                break
            for number in range(saved, size):
                vault._store.commit(f"bench-{number}", data, expected=0)
            saved = size
            taken: list[float] = []
            for _ in range(READINGS):
                source = vault.source(f"bench-{choice.randrange(size)}")
                began = time.perf_counter()
                source.token()
                taken.append(time.perf_counter() - began)
            rows.append(Growth(place.kind, size, median(taken)))
    return rows


class Endless:
    """A store outside this process's memory that has a token for every key."""

    def __init__(self) -> None:
        self._data = _data()

    def load(self, key: str) -> Record:
        return Record(1, bytes(bytearray(self._data)))

    def try_lease(self, key: str, seconds: float) -> Lease | None:
        return None

    def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        return expected + 1

    def release(self, lease: Lease) -> None:
        return None

    def close(self) -> None:
        return None


def remembered(keys: int) -> str:
    """Ask for the tokens of so many keys, and say by how much the process has grown."""
    with TokenVault(Endless(), **CLIENT, token_endpoint=ENDPOINT) as vault:  # type: ignore[arg-type]
        vault.source("warm").token()
        before, began = _resident(), time.perf_counter()
        for number in range(keys):
            vault.source(f"user-{number}").token()
        taken, grown = time.perf_counter() - began, _resident() - before
        kept = len(vault._live)
    return (
        f"{keys:,} keys through one vault: {grown / 2**20:.0f} MiB more resident memory, {kept:,} keys remembered, "
        f"{taken / max(keys, 1) * 1e6:.0f} µs for each key"
    )


def _data() -> bytes:
    token = OAuthToken.from_mapping(
        {"access_token": "a" * 1000, "refresh_token": "r" * 500, "expires_in": 3600}, now=time.time()
    )
    return pack(token, {"grant": "g", "turn": 0, "client": "app", "server": ENDPOINT})


def _resident() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
