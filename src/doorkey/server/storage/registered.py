"""The storage effects for clients that registered themselves. Each performs itself over any `Records`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypeVar

from doorkey.server.registered import Registration
from doorkey.server.storage.records import Records
from doorkey.wire.flow import Effect

KIND: Final = "client"
MAX_CLIENTS: Final = 1000
"""Limit of clients that have registered themselves in one realm."""

R = TypeVar("R")


class RegistrationEffect(Effect[R]):
    """An effect on the registered clients of one realm."""

    __slots__ = ()

    def perform(self, records: Records, realm: str, now: float) -> R:
        """Perform the effect over the `records` of a realm at `now` (POSIX seconds), and return its outcome."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class FindRegistration(RegistrationEffect[Registration | None]):
    """The registration whose client ID is `client_id`, or None."""

    client_id: str

    def perform(self, records: Records, realm: str, now: float) -> Registration | None:
        """Return the registration, or None."""
        text = records.get(KIND, f"{realm}/{self.client_id}", now)
        return None if text is None else Registration.decoded(text)


@dataclass(frozen=True, slots=True)
class ListRegistrations(RegistrationEffect[tuple[Registration, ...]]):
    """All registrations of the realm."""

    def perform(self, records: Records, realm: str, now: float) -> tuple[Registration, ...]:
        """Return the registrations."""
        found = [records.get(KIND, key, now) for key in records.keys(KIND, f"{realm}/", now)]
        return tuple(Registration.decoded(text) for text in found if text is not None)


@dataclass(frozen=True, slots=True)
class AddRegistration(RegistrationEffect[bool]):
    """Store a new registration. False if the realm already has `MAX_CLIENTS` of them."""

    new: Registration

    def perform(self, records: Records, realm: str, now: float) -> bool:
        """Return whether the registration was stored."""
        if len(records.keys(KIND, f"{realm}/", now)) >= MAX_CLIENTS:
            return False
        key = f"{realm}/{self.new.client_id}"
        return records.add(KIND, key, self.new.encoded(), expires_at=math.inf, now=now)


@dataclass(frozen=True, slots=True)
class ReplaceRegistration(RegistrationEffect[bool]):
    """Write `new` if the registration is still `old`. False if another request changed it first."""

    old: Registration
    new: Registration

    def perform(self, records: Records, realm: str, now: float) -> bool:
        """Return whether the registration was written."""
        key, old, new = f"{realm}/{self.old.client_id}", self.old.encoded(), self.new.encoded()
        return records.swap(KIND, key, old, new, expires_at=math.inf, now=now)


@dataclass(frozen=True, slots=True)
class RemoveRegistration(RegistrationEffect[bool]):
    """Remove a registration. False if it does not exist."""

    client_id: str

    def perform(self, records: Records, realm: str, now: float) -> bool:
        """Return whether the registration existed."""
        return records.remove(KIND, f"{realm}/{self.client_id}", now)
