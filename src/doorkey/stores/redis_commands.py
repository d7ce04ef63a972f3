"""The commands of a Redis store, without I/O: each operation is a flow of one command.

A record and its lease are two keys with the same hash tag, so that a cluster keeps them on one node. Scripts run
atomically. Each command sends its whole script, because scripts are short and a restarted server has lost its scripts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

from doorkey.arguments import text
from doorkey.errors import UsageError
from doorkey.stores.limits import (
    KEPT,
    MAX_DATA,
    TOO_LATE,
    check_commit,
    check_lease,
    checked_key,
    checked_lease,
    checked_record,
    new_owner,
    new_version,
    unusable,
)
from doorkey.stores.protocol import Lease, Record
from doorkey.wire.flow import Effect, Flow

__all__: list[str] = []

# The state of KEYS[1]: "none"; "valid" if COMMIT may have written it and its data has at most `most` bytes; "unusable".
_STATE: Final = """
local function state(most)
  local kind = redis.call('TYPE', KEYS[1]).ok
  if kind ~= 'hash' then return kind == 'none' and 'none' or 'unusable' end
  if redis.call('HSTRLEN', KEYS[1], 'version') > 16 or redis.call('HSTRLEN', KEYS[1], 'data') > tonumber(most) then
    return 'unusable'
  end
  local version = redis.call('HGET', KEYS[1], 'version')
  local valid = version and version:find('^%d+$') and tonumber(version) >= 1 and tonumber(version) < 2 ^ 53
  return valid and 'valid' or 'unusable'
end
"""
LOAD: Final = (
    _STATE
    + """
local found = state(ARGV[1])
if found ~= 'valid' then return {found} end
return {found, redis.call('HGET', KEYS[1], 'version'), redis.call('HGET', KEYS[1], 'data')}
"""
)
# The version of a deleted record expires in ARGV[4] milliseconds. A commit with expected=0 replaces an unusable record.
COMMIT: Final = (
    _STATE
    + """
local expected = tonumber(ARGV[1])
local found, version, current = state(ARGV[5]), 0, 0
if found == 'unusable' then
  if expected ~= 0 then return -1 end
  redis.call('DEL', KEYS[1])
  version = tonumber(ARGV[6]) - 1
elseif found == 'valid' then
  version = tonumber(redis.call('HGET', KEYS[1], 'version'))
  current = redis.call('HEXISTS', KEYS[1], 'data') == 1 and version or 0
end
if current ~= expected then return 0 end
version = version + 1
redis.call('HSET', KEYS[1], 'version', string.format('%.0f', version))
if ARGV[2] == 'delete' then
  redis.call('HDEL', KEYS[1], 'data')
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
else
  redis.call('HSET', KEYS[1], 'data', ARGV[3])
  redis.call('PERSIST', KEYS[1])
end
return version
"""
)
# A lease lasts longer if Redis's clock is set back. So a lease that has over ARGV[3] milliseconds left has expired.
LEASE: Final = """
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
local left = redis.call('PTTL', KEYS[1])
if left >= 0 and left <= tonumber(ARGV[3]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
RELEASE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


@dataclass(frozen=True, slots=True)
class Command(Effect[Any]):
    """Request Redis's response to a command of these `words`. A command that only `reads` may be repeated."""

    words: tuple[str | bytes | int, ...]
    reads: bool = False

    def __repr__(self) -> str:
        return f"Command({self.words[0]!r}, …)"  # the others hold tokens


class RedisCommands:
    """The operations of a store under `prefix`, as flows."""

    def __init__(self, prefix: str) -> None:
        text(prefix, "a Redis store's prefix")
        if not prefix.isprintable() or "{" in prefix or "}" in prefix or len(prefix.encode()) > 200:
            raise UsageError("a Redis store's prefix is short printable text without braces, which mark the hash tag")
        self._prefix = prefix

    def load(self, key: str) -> Flow[Record | None]:
        """Return the record of `key`, or None."""
        answer = yield from Command(("EVAL", LOAD, 1, self._record(key), MAX_DATA), reads=True)
        match answer:
            case [b"none"] | [b"valid", _, None] | [b"valid", _]:
                return None
            case [b"valid", bytes(version), bytes(data)]:
                return checked_record(int(version), data)
            case _:
                raise unusable()

    def try_lease(self, key: str, seconds: float) -> Flow[Lease | None]:
        """Acquire the lease of `key`, or return None."""
        check_lease(seconds)
        lease = Lease(key, new_owner())
        milliseconds = max(1, round(seconds * 1000))
        most = round(TOO_LATE * 1000)
        answer = yield from Command(("EVAL", LEASE, 1, self._lease(key), lease.owner, milliseconds, most))
        return lease if answer else None

    def commit(self, key: str, data: bytes | None, expected: int) -> Flow[int]:
        """Save or delete the record if its version is `expected`. Return the new version, or 0."""
        check_commit(data, expected)
        action, kept = ("delete", b"") if data is None else ("save", data)
        answer = yield from Command(
            (
                *("EVAL", COMMIT, 1, self._record(key), expected, action, kept, round(KEPT * 1000)),
                *(MAX_DATA, new_version()),
            ),
        )
        if answer == -1:
            raise unusable()
        return int(answer)

    def release(self, lease: Lease) -> Flow[None]:
        """Release the lease."""
        held = checked_lease(lease)
        yield from Command(("EVAL", RELEASE, 1, self._lease(held.key), held.owner))

    def _record(self, key: str) -> str:
        return f"{self._prefix}{{{_tag(key)}}}:record"

    def _lease(self, key: str) -> str:
        return f"{self._prefix}{{{_tag(key)}}}:lease"


def _tag(key: str) -> str:
    # a brace in the key would end the hash tag
    return quote(checked_key(key), safe="/:@|+,;=!$&'()*")


def checked_url(url: str) -> str:
    """Return `url`. Raises `UsageError`, which does not quote it, if its scheme is not one of Redis."""
    try:
        known = urlsplit(url).scheme in ("redis", "rediss", "unix")
    except ValueError:
        known = False
    if not known:
        raise UsageError("a Redis store needs a URL that begins with redis://, rediss:// or unix://, or a client")
    return url


def check_client(client: Any, *, awaited: bool) -> None:
    """Raise `UsageError` unless `client` is a client of redis-py that does not decode responses.

    awaited: whether it must be asynchronous; if False, it must be synchronous.
    """
    bases = [f"{base.__module__}.{base.__name__}" for base in type(client).__mro__]
    if any(name.startswith("redis.") and name.endswith("Pipeline") for name in bases):
        raise UsageError("a Redis store needs a client, not a pipeline, which sends nothing before execute()")
    awaits = any(name.startswith("redis.asyncio.") for name in bases)
    if awaits != awaited and any(name.startswith("redis.") for name in bases):
        blocks, right = ("awaits", "AsyncRedisStore") if awaits else ("blocks", "RedisStore")
        raise UsageError(f"this Redis client {blocks}: give it to {right}")
    if not all(callable(getattr(client, name, None)) for name in ("get_encoder", "execute_command")):
        raise UsageError(f"a Redis store needs a URL, or a client of redis-py, not {type(client).__name__}")
    if getattr(client.get_encoder(), "decode_responses", False):
        raise UsageError("a Redis store needs a client without decode_responses=True: records are bytes")
