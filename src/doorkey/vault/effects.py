"""The effects of the vault's flows, one for each call of a store; see `doorkey.stores.protocol.StoreCalls`.

A store may be the user's own, so `checked` checks the result of each call, and raises `StoreError` for an invalid one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

from doorkey.errors import OAuthError, StoreError
from doorkey.stores.limits import checked_record
from doorkey.stores.protocol import Lease, Record
from doorkey.wire.flow import Effect

__all__: list[str] = []

R = TypeVar("R")


class StoreCall(Effect[R]):
    """One call of a store."""

    __slots__ = ()

    def perform(self, store: Any) -> R:
        """Call the synchronous `store` and return the checked result. Raises only `OAuthError`."""
        try:
            return self.checked(self.call(store))
        except OAuthError:
            raise
        except Exception as error:  # the user's own store may raise any exception
            raise _failed(error) from error

    async def perform_async(self, store: Any) -> R:
        """Call the asynchronous `store` and return the checked result. Raises only `OAuthError`."""
        try:
            return self.checked(await self.call(store))
        except OAuthError:
            raise
        except Exception as error:  # the user's own store may raise any exception
            raise _failed(error) from error

    def call(self, store: Any) -> Any:
        """Call the `store`, and return its result, which may be awaitable."""
        raise NotImplementedError

    def checked(self, returned: object) -> R:
        """Return the result of the store. Raises `StoreError` for a result that the contract does not permit."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Load(StoreCall[Record | None]):
    """Request the record of `key`, or None."""

    key: str

    def call(self, store: Any) -> Any:
        """Call `load`."""
        return store.load(self.key)

    def checked(self, returned: object) -> Record | None:
        """Return the record with its data as `bytes`, or None. Raises `RecordError` for an invalid size or version."""
        if returned is None:
            return None
        if not isinstance(returned, Record):
            _fail("load() must return a Record, or None", returned)
        version = _version(returned.version, "the version of a Record")
        data: object = returned.data
        if not isinstance(data, bytes | bytearray | memoryview):
            _fail("the data of a Record must be bytes", data)
        return checked_record(version, bytes(data))


@dataclass(frozen=True, slots=True)
class TryLease(StoreCall[Lease | None]):
    """Request the lease of `key` for `seconds` of the store's clock, or None if another caller holds it."""

    key: str
    seconds: float

    def call(self, store: Any) -> Any:
        """Call `try_lease`."""
        return store.try_lease(self.key, self.seconds)

    def checked(self, returned: object) -> Lease | None:
        """Return the lease, or None."""
        if returned is not None and not isinstance(returned, Lease):
            _fail("try_lease() must return a Lease, or None", returned)
        return returned


@dataclass(frozen=True, slots=True)
class Commit(StoreCall[int]):
    """Save `data`, or delete the record (None), if its version is `expected`. The outcome is the new version, or 0."""

    key: str
    data: bytes | None = field(repr=False)
    expected: int

    def call(self, store: Any) -> Any:
        """Call `commit`."""
        return store.commit(self.key, self.data, expected=self.expected)

    def checked(self, returned: object) -> int:
        """Return the version, or 0."""
        return _version(returned, "commit() must return the new version, or 0: what it returned")


@dataclass(frozen=True, slots=True)
class Release(StoreCall[None]):
    """Release `lease`."""

    lease: Lease

    def call(self, store: Any) -> Any:
        """Call `release`."""
        return store.release(self.lease)

    def checked(self, returned: object) -> None:
        """Return None; the result of `release` is not used."""


def _failed(error: Exception) -> StoreError:
    return StoreError(f"the store failed with {type(error).__name__}")


def _version(given: object, what: str) -> int:
    if isinstance(given, bool) or not isinstance(given, int):
        _fail(f"{what} must be a number", given)
    return given


def _fail(expected: str, given: object) -> NoReturn:
    raise StoreError(f"the store breaks the contract of a store: {expected}, not {type(given).__name__}")
