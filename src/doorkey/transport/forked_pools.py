"""Connection pools in a forked child: they are emptied, because their connections belong to the parent.

If parent and child used one connection, each could read the response to the other's request, with the token of another
user. The child closes its copies of the sockets. Nothing is sent, so the parent's connections stay usable. The lock of
a pool is replaced, because a thread that does not exist in the child may hold it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

from doorkey.runtime.forks import after_fork

__all__: list[str] = []

_left: Final[list[Any]] = []
"""Asynchronous connections of the parent. Only its event loop could close them, and Python warns if they are freed."""


def empty_in_children(client: Any) -> None:
    """Empty the pools of `client` in each forked child.

    client: a session of requests, a client of httpx2 or httpx, or a transport of these. Adapters and transports that
        are not the library's own are unchanged. Their owner must create them after the fork.
    """
    with suppress(TypeError):  # a class without weak references does not belong to these libraries
        after_fork(client, _empty)


def _empty(client: Any) -> None:
    for adapter in _values(client, "adapters"):
        for manager in (getattr(adapter, "poolmanager", None), *_values(adapter, "proxy_manager")):
            _empty_manager(manager)
    for transport in (client, getattr(client, "_transport", None), *_values(client, "_mounts")):
        _empty_transport(transport)


def _values(owner: Any, name: str) -> list[Any]:
    found: dict[str, Any] | None = getattr(owner, name, None)
    return list(found.values()) if isinstance(found, dict) else []


def _empty_manager(manager: Any) -> None:
    """Empty a `PoolManager` of urllib3. A response that is still read can return its connection to the old pool."""
    pools: Any = getattr(manager, "pools", None)
    for pool in _values(pools, "_container"):
        idle = pool.pool
        if idle is None:
            continue  # the pool is closed
        connections = [one for one in idle.queue if one is not None]
        idle.__init__(idle.maxsize)  # with new locks, because the finalizer of the pool acquires them
        for connection in connections:
            if connection.sock is not None:
                connection.sock.close()  # `connection.close()` of HTTP/2 would send a frame
    if hasattr(pools, "_container"):
        pools.__init__(pools._maxsize, pools.dispose_func)


def _empty_transport(transport: Any) -> None:
    """Empty the pool of an `HTTPTransport` or an `AsyncHTTPTransport`."""
    pool: Any = getattr(transport, "_pool", None)
    if not hasattr(pool, "_connections"):
        return
    connections: list[Any] = list(pool._connections)
    pool._connections, pool._requests = [], []
    pool._optional_thread_lock = type(pool._optional_thread_lock)()
    if hasattr(pool, "handle_async_request"):
        _left.extend(connections)
        return
    for connection in connections:
        connection.close()
