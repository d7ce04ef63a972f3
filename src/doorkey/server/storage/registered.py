"""The records of clients that registered themselves, as effects that perform themselves over any `Records`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypeVar

from doorkey.server.registered import Registration
from doorkey.server.storage.records import Records
from doorkey.wire.flow import Effect

KIND: Final = "client"
MAX_CLIENTS: Final = 1000
"""Clients that may register themselves in one realm."""

R = TypeVar("R")


class RegistrationEffect(Effect[R]):
    """An effect on the registered clients of one realm."""

    __slots__ = ()

    def perform(self, records: Records, realm: str, now: float) -> R:
        """Return the outcome, over the `records` of a realm at `now`, in POSIX seconds."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class FindRegistration(RegistrationEffect[Registration | None]):
    """The client that registered itself and got this ID, or None."""

    client_id: str

    def perform(self, records: Records, realm: str, now: float) -> Registration | None:
        """Return it."""
        text = records.get(KIND, f"{realm}/{self.client_id}", now)
        return None if text is None else Registration.decoded(text)


@dataclass(frozen=True, slots=True)
class ListRegistrations(RegistrationEffect[tuple[Registration, ...]]):
    """Every client of the realm that registered itself."""

    def perform(self, records: Records, realm: str, now: float) -> tuple[Registration, ...]:
        """Return them."""
        found = [records.get(KIND, key, now) for key in records.keys(KIND, f"{realm}/", now)]
        return tuple(Registration.decoded(text) for text in found if text is not None)


@dataclass(frozen=True, slots=True)
class AddRegistration(RegistrationEffect[bool]):
    """Keep a new client. False if there are as many as there may be."""

    new: Registration

    def perform(self, records: Records, realm: str, now: float) -> bool:
        """Return whether it was kept."""
        if len(records.keys(KIND, f"{realm}/", now)) >= MAX_CLIENTS:
            return False
        key = f"{realm}/{self.new.client_id}"
        return records.add(KIND, key, self.new.encoded(), expires_at=math.inf, now=now)


@dataclass(frozen=True, slots=True)
class ReplaceRegistration(RegistrationEffect[bool]):
    """Write `new` if the client is still `old`; False if another request changed it first."""

    old: Registration
    new: Registration

    def perform(self, records: Records, realm: str, now: float) -> bool:
        """Return whether it was written."""
        key, old, new = f"{realm}/{self.old.client_id}", self.old.encoded(), self.new.encoded()
        return records.swap(KIND, key, old, new, expires_at=math.inf, now=now)


@dataclass(frozen=True, slots=True)
class RemoveRegistration(RegistrationEffect[bool]):
    """Remove a client. False if there is none."""

    client_id: str

    def perform(self, records: Records, realm: str, now: float) -> bool:
        """Return whether there was one."""
        return records.remove(KIND, f"{realm}/{self.client_id}", now)
