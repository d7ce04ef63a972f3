"""Caches as programs have them: text or bytes, with a lifetime in seconds."""

from typing import Any

import anyio


class Cache:
    """A cache whose methods block."""

    def __init__(self) -> None:
        self.held: dict[str, Any] = {}
        self.lifetimes: dict[str, float] = {}

    def get(self, key: str) -> Any:
        return self.held.get(key)

    def set(self, key: str, value: str, expires: int) -> None:
        self.held[key] = value
        self.lifetimes[key] = expires

    def delete(self, key: str) -> None:
        self.held.pop(key, None)


class AsyncCache:
    """A cache whose methods are awaited, and let other tasks run."""

    def __init__(self) -> None:
        self._plain = Cache()
        self.held, self.lifetimes = self._plain.held, self._plain.lifetimes

    async def get(self, key: str) -> Any:
        await anyio.lowlevel.checkpoint()
        return self._plain.get(key)

    async def set(self, key: str, value: str, expires: int) -> None:
        await anyio.lowlevel.checkpoint()
        self._plain.set(key, value, expires)

    async def delete(self, key: str) -> None:
        await anyio.lowlevel.checkpoint()
        self._plain.delete(key)
