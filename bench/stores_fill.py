"""Fills a store with many keys quickly: the store saves the first record, and the database copies it to other keys."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import redis
from sqlalchemy import create_engine, text

from bench.stores_places import Place

FIRST = 0
"""The number of the record that is copied."""
TOGETHER = 10_000
"""The number of keys that one script of Redis creates. Redis serves no other client meanwhile."""

_COPY = """
local fields = redis.call('HGETALL', KEYS[1])
for number = tonumber(ARGV[1]), tonumber(ARGV[2]) do
  redis.call('HSET', (string.gsub(KEYS[1], '-0}', '-' .. string.format('%.0f', number) .. '}')), unpack(fields))
end
"""


def named(number: int) -> str:
    """Return the key with this number."""
    return f"bench-{number}"


def fill(place: Place, begin: int, end: int) -> None:
    """Copy the record of the first key to the keys from `begin` to `end` - 1."""
    _FILLING[place.kind](place.address, begin, end)


def _sqlite(address: str, begin: int, end: int) -> None:
    copy = """WITH RECURSIVE numbers (n) AS (SELECT :begin UNION ALL SELECT n + 1 FROM numbers WHERE n < :last)
        INSERT INTO record (key, version, data)
        SELECT 'bench-' || n, version, data FROM numbers, record WHERE key = :first"""
    with closing(sqlite3.connect(address)) as db, db:
        db.execute(copy, {"begin": begin, "last": end - 1, "first": named(FIRST)})


def _redis(address: str, begin: int, end: int) -> None:
    first = f"doorkey:{{{named(FIRST)}}}:record"
    library: Any = redis  # its types are partly unknown
    with library.Redis.from_url(address) as client:
        for number in range(begin, end, TOGETHER):
            client.execute_command("EVAL", _COPY, 1, first, number, min(number + TOGETHER, end) - 1)


def _postgres(address: str, begin: int, end: int) -> None:
    copy = """INSERT INTO doorkey_tokens (key, version, data, owner, leased_until)
        SELECT 'bench-' || n, version, data, owner, leased_until
        FROM generate_series(CAST(:begin AS bigint), :last) AS n, doorkey_tokens WHERE key = :first"""
    engine = create_engine(address)
    with engine.begin() as db:
        db.execute(text(copy), {"begin": begin, "last": end - 1, "first": named(FIRST)})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.execute(text("VACUUM ANALYZE doorkey_tokens"))  # autovacuum would do this later
    engine.dispose()


_FILLING: dict[str, Callable[[str, int, int], Any]] = {"sqlite": _sqlite, "redis": _redis, "postgres": _postgres}
