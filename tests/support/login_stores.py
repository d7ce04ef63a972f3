"""Stores for the tests of logins in browsers, and a driver of the flows of such a login over a store."""

from collections.abc import Callable
from typing import Any

from doorkey.errors import StoreError
from doorkey.stores import MemoryStore
from doorkey.stores.protocol import Lease, Record, StoreCalls
from doorkey.vault.effects import StoreCall
from doorkey.wire.flow import Flow, run


def over(store: StoreCalls | None = None) -> Callable[[Flow[Any]], Any]:
    """Return what runs a flow on `store`."""
    used = MemoryStore() if store is None else store

    def perform(effect: StoreCall[Any]) -> Any:
        return effect.perform(used)

    return lambda flow: run(flow, perform)


def no_token(key: str) -> Flow[None]:
    yield from ()


class Overtaken:
    """A store in which `rival` is called once, before the next commit."""

    def __init__(self, store: MemoryStore, rival: Callable[[], object], times: int = 1) -> None:
        self._store, self._rival, self._times = store, rival, times

    def load(self, key: str) -> Record | None:
        return self._store.load(key)

    def try_lease(self, key: str, seconds: float) -> Lease | None:
        return self._store.try_lease(key, seconds)

    def release(self, lease: Lease) -> None:
        self._store.release(lease)

    def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        if self._times:
            self._times -= 1
            self._rival()
        return self._store.commit(key, data, expected=expected)


class Awaited:
    """A store that is awaited, over one that blocks, which the test looks into."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def load(self, key: str) -> Any:
        return self._store.load(key)

    async def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        return self._store.commit(key, data, expected=expected)

    async def try_lease(self, key: str, seconds: float) -> Any:
        return self._store.try_lease(key, seconds)

    async def release(self, lease: Any) -> None:
        self._store.release(lease)


class Down:
    """A store that does not answer."""

    def load(self, key: str) -> Any:
        raise StoreError("the database is down", retryable=True)

    commit = try_lease = release = load
