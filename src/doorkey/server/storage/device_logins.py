"""The storage effects for logins on other devices (RFC 8628), and the function that performs them over any `Records`.

A login is stored under the SHA-256 of its device code. A second record leads from its user code to it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeVar

from doorkey.server.model import DeviceLogin
from doorkey.server.storage.records import Records
from doorkey.wire.flow import Effect

R = TypeVar("R")

KEPT: Final = 3600
"""Seconds for which an expired login is kept, so that its client gets the error `expired_token`."""
_LOGINS, _CODES = "device", "user-code"


class DeviceEffect(Effect[R]):
    """An effect on logins on other devices."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class SaveDevice(DeviceEffect[bool]):
    """Store a new login. False if another login has the same user code."""

    login: DeviceLogin


@dataclass(frozen=True, slots=True)
class FindDevice(DeviceEffect[DeviceLogin | None]):
    """The login whose ID is `device_id`, or None."""

    device_id: str


@dataclass(frozen=True, slots=True, repr=False)
class FindUserCode(DeviceEffect[DeviceLogin | None]):
    """The login whose user code, without the hyphen, is `user_code`; None if there is no such login or it expired."""

    user_code: str


@dataclass(frozen=True, slots=True)
class ReplaceDevice(DeviceEffect[bool]):
    """Write `new` if the login is still `old`; False if another request changed it first."""

    old: DeviceLogin
    new: DeviceLogin


@dataclass(frozen=True, slots=True)
class CountDevices(DeviceEffect[int]):
    """The number of user codes that have not expired."""


def device_id(device_code: str) -> str:
    """Return the ID of the login that has this device code."""
    return _digest(device_code)


def perform_on_devices(effect: DeviceEffect[Any], store: Records, realm: str, now: float) -> Any:
    """Perform `effect` over the `store` of a realm at `now` (POSIX seconds), and return its outcome."""
    match effect:
        case SaveDevice(login):
            code = f"{realm}/{_digest(login.user_code)}"
            if not store.add(_CODES, code, login.id, expires_at=login.expires_at, now=now):
                return False
            store.put(_LOGINS, f"{realm}/{login.id}", _text(login), expires_at=login.expires_at + KEPT, now=now)
            return True
        case FindDevice(found):
            return _login(store.get(_LOGINS, f"{realm}/{found}", now))
        case FindUserCode(user_code):
            named = store.get(_CODES, f"{realm}/{_digest(user_code)}", now)
            return None if named is None else _login(store.get(_LOGINS, f"{realm}/{named}", now))
        case ReplaceDevice(old, new):
            key, until = f"{realm}/{old.id}", new.expires_at + KEPT
            return store.swap(_LOGINS, key, _text(old), _text(new), expires_at=until, now=now)
        case CountDevices():
            return len(store.keys(_CODES, f"{realm}/", now))
        case _:
            raise TypeError(f"unknown effect {type(effect).__name__}")


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def _text(login: DeviceLogin) -> str:
    return json.dumps(asdict(login), separators=(",", ":"))


def _login(text: str | None) -> DeviceLogin | None:
    if text is None:
        return None
    members: dict[str, Any] = json.loads(text)
    members["scope"] = tuple(members["scope"])
    return DeviceLogin(**members)
