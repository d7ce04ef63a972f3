"""What the vault's flows ask of a store, one effect for each of its calls; see `doorkey.stores.protocol.StoreCalls`.

A store may be the user's own, so what each call returns is `checked` before a flow sees it: that raises `StoreError`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn

from doorkey.errors import StoreError
from doorkey.protocol.flow import Effect
from doorkey.stores.protocol import Lease, Record

__all__: list[str] = []


@dataclass(frozen=True, slots=True)
class Load(Effect[Record | None]):
    """Ask for the record of `key`, or None."""

    key: str

    def checked(self, returned: object) -> Record | None:
        """Return the record, or None; bytes of another kind as bytes."""
        if returned is None:
            return None
        if not isinstance(returned, Record):
            _refused("load() is to return a Record, or None", returned)
        version = _version(returned.version, "the version of a Record")
        data: object = returned.data
        if isinstance(data, bytes):
            return returned
        if not isinstance(data, bytearray | memoryview):
            _refused("the data of a Record is bytes", data)
        return Record(version, bytes(data))


@dataclass(frozen=True, slots=True)
class TryLease(Effect[Lease | None]):
    """Ask for the lease of `key` for `seconds` of the store's clock, or None: somebody holds it."""

    key: str
    seconds: float

    def checked(self, returned: object) -> Lease | None:
        """Return the lease, or None."""
        if returned is not None and not isinstance(returned, Lease):
            _refused("try_lease() is to return a Lease, or None", returned)
        return returned


@dataclass(frozen=True, slots=True)
class Commit(Effect[int]):
    """Save `data`, or delete (None), if the version is still `expected`; brings the new version, or 0."""

    key: str
    data: bytes | None = field(repr=False)
    expected: int

    def checked(self, returned: object) -> int:
        """Return the version, or 0."""
        return _version(returned, "commit() is to return the new version, or 0: what it returned")


@dataclass(frozen=True, slots=True)
class Release(Effect[None]):
    """Give `lease` back."""

    lease: Lease

    def checked(self, returned: object) -> None:
        """Return nothing, whatever there is."""


def _version(given: object, what: str) -> int:
    if isinstance(given, bool) or not isinstance(given, int):
        _refused(f"{what} is a number", given)
    return given


def _refused(expected: str, given: object) -> NoReturn:
    raise StoreError(f"the store does not do what it promises: {expected}, not {type(given).__name__}")
