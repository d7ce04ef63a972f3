"""A store in Redis (6 or later) or Valkey: for the processes of several machines."""

from __future__ import annotations

from typing import Any

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from doorkey.arguments import seconds
from doorkey.errors import UsageError, scrubbed
from doorkey.stores.limits import MAX_TIMEOUT
from doorkey.stores.loops import PerLoop
from doorkey.stores.protocol import Lease, Record
from doorkey.stores.redis_commands import Command, RedisCommands, check_client, checked_url
from doorkey.stores.redis_errors import failure, needs_another_node
from doorkey.values import NotPicklable, without_frames
from doorkey.wire.flow import arun, run

__all__ = ["AsyncRedisStore", "RedisStore"]


class RedisStore(NotPicklable):
    """A store in Redis or Valkey, for the processes of several machines.

    url_or_client: a URL (`redis://`, `rediss://`, `unix://`), for which the store creates a client; or a `redis.Redis`
        or `redis.RedisCluster` without `decode_responses`, which its owner closes and which keeps its own timeouts.
    prefix: the prefix of the store's keys: printable text of at most 200 UTF-8 bytes without braces.
    timeout: seconds to wait for each response, for a URL.

    The client of a URL repeats a command only if Redis refused it without effect, for instance because the node has
    become a replica. It then resolves the host name again and repeats the command once. If a client of your own repeats
    commands, `commit` may return 0, as after another process's commit, although its first attempt succeeded.

    Raises `UsageError` for invalid arguments.
    """

    def __init__(self, url_or_client: Any, *, prefix: str = "doorkey:", timeout: float = 5.0) -> None:
        self._commands = RedisCommands(prefix)
        seconds(timeout, "a Redis store's timeout", least=0.001, most=MAX_TIMEOUT)
        self._own = isinstance(url_or_client, str)
        self._client: Any = url_or_client
        if self._own:
            # redis-py opens new connections in a forked child
            self._client = _made(redis.Redis, url_or_client, timeout, Retry(NoBackoff(), 0))
        check_client(self._client, awaited=False)

    def load(self, key: str) -> Record | None:
        """Return the record of `key`, or None."""
        return run(self._commands.load(key), self._perform)

    def try_lease(self, key: str, seconds: float) -> Lease | None:
        """Acquire the lease of `key` for `seconds` of Redis's clock; return None if another caller holds it."""
        return run(self._commands.try_lease(key, seconds), self._perform)

    def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        """Save `data` as the record of `key`, or delete the record (None). See `StoreCalls.commit`."""
        return run(self._commands.commit(key, data, expected), self._perform)

    def release(self, lease: Lease) -> None:
        """Release a `lease`. An expired lease is ignored."""
        run(self._commands.release(lease), self._perform)

    def close(self) -> None:
        """Close the connections, if the store created its client. The next call opens them again."""
        if self._own:
            self._client.close()

    def _perform(self, command: Command) -> Any:
        try:
            return self._answer(command)
        except (redis.RedisError, OSError) as error:
            raise failure(error) from without_frames(error)

    def _answer(self, command: Command) -> Any:
        try:
            return self._client.execute_command(*command.words)
        except redis.RedisError as error:
            if not self._own or not needs_another_node(error):
                raise
        # After a failover, a new connection leads to the new primary
        self._client.connection_pool.disconnect(inuse_connections=False)
        return self._client.execute_command(*command.words)


class AsyncRedisStore(NotPicklable):
    """The asynchronous `RedisStore`, on asyncio.

    url_or_client: a URL, for which the store creates a client in each event loop; or a `redis.asyncio` client.
    prefix, timeout: as for `RedisStore`.

    A command of the client of a URL that only reads is also repeated once if the connection has died.
    """

    def __init__(self, url_or_client: Any, *, prefix: str = "doorkey:", timeout: float = 5.0) -> None:
        self._commands = RedisCommands(prefix)
        seconds(timeout, "a Redis store's timeout", least=0.001, most=MAX_TIMEOUT)
        self._own: PerLoop[Any] | None = None
        self._given: Any = url_or_client
        if isinstance(url_or_client, str):
            retry = AsyncRetry(NoBackoff(), 0)
            _made(redis.asyncio.Redis, url_or_client, timeout, retry)  # reports a wrong URL at once
            self._own = PerLoop(lambda: _made(redis.asyncio.Redis, url_or_client, timeout, retry))
        else:
            check_client(url_or_client, awaited=True)

    async def load(self, key: str) -> Record | None:
        """Return the record of `key`, or None."""
        return await arun(self._commands.load(key), self._perform)

    async def try_lease(self, key: str, seconds: float) -> Lease | None:
        """Acquire the lease of `key` for `seconds` of Redis's clock; return None if another caller holds it."""
        return await arun(self._commands.try_lease(key, seconds), self._perform)

    async def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        """Save `data` as the record of `key`, or delete the record (None). See `StoreCalls.commit`."""
        return await arun(self._commands.commit(key, data, expected), self._perform)

    async def release(self, lease: Lease) -> None:
        """Release a `lease`. An expired lease is ignored."""
        await arun(self._commands.release(lease), self._perform)

    async def close(self) -> None:
        """Close this loop's connections, if the store created its client. The next call opens them again."""
        client = None if self._own is None else self._own.pop()
        if client is not None:
            await client.aclose()

    async def _perform(self, command: Command) -> Any:
        try:
            return await self._answer(command)
        except (redis.RedisError, OSError) as error:
            raise failure(error) from without_frames(error)

    async def _answer(self, command: Command) -> Any:
        client = self._given if self._own is None else self._own.get()
        try:
            return await client.execute_command(*command.words)
        except redis.RedisError as error:
            # After a restart of Redis, the asynchronous client of redis-py does not notice that an idle connection died
            died = isinstance(error, redis.ConnectionError) and command.reads
            if self._own is None or not (died or needs_another_node(error)):
                raise
        # After a failover, a new connection leads to the new primary
        await client.connection_pool.disconnect(inuse_connections=False)
        return await client.execute_command(*command.words)


def _made(kind: Any, url: str, timeout: float, retry: Any) -> Any:
    try:
        return kind.from_url(
            checked_url(url), socket_timeout=timeout, socket_connect_timeout=timeout, retry=retry, client_name="doorkey"
        )
    except (ValueError, redis.RedisError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError("the Redis store's URL cannot be used: see redis.Redis.from_url") from scrubbed(error)
