"""What the vault's flows ask of a store, one effect for each of its calls; see `doorkey.stores.protocol.Store`."""

from __future__ import annotations

from dataclasses import dataclass, field

from doorkey.protocol.flow import Effect
from doorkey.stores.protocol import Lease, Record

__all__: list[str] = []


@dataclass(frozen=True, slots=True)
class Load(Effect[Record | None]):
    """Ask for the record of `key`, or None."""

    key: str


@dataclass(frozen=True, slots=True)
class TryLease(Effect[Lease | None]):
    """Ask for the lease of `key` for `seconds` of the store's clock, or None: somebody holds it."""

    key: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Commit(Effect[int]):
    """Save `data`, or delete (None), if the version is still `expected`; brings the new version, or 0."""

    key: str
    data: bytes | None = field(repr=False)
    expected: int


@dataclass(frozen=True, slots=True)
class Release(Effect[None]):
    """Give `lease` back."""

    lease: Lease
