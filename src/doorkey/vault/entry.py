"""What a vault keeps in a record: a token, whose it is, and which turn of which login."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from doorkey.errors import InvalidGrant, RecordError
from doorkey.stores.envelope import open_record, pack
from doorkey.stores.protocol import Record
from doorkey.tokens import OAuthToken

__all__: list[str] = []


class Sealing(Protocol):
    """Encrypts records: see `doorkey.stores.encryption.Sealer`."""

    def seal(self, key: str, data: bytes) -> bytes:
        """Return `data` sealed for the record of `key`."""
        ...

    def open(self, key: str, data: bytes) -> bytes:
        """Return what was sealed for the record of `key`. Raises `RecordError`."""
        ...


class ForeignRecordError(RecordError):
    """The record is a token of another client or authorization server, and is left alone."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A record as a vault reads it.

    `grant` is random and made anew by each `save`, `turn` counts the renewals since: of two entries of one grant, the
    one of the higher turn holds the refresh token that still works. `dead` is what the server said when it refused the
    grant, or None.
    """

    token: OAuthToken
    grant: str
    turn: int = 0
    version: int = 0
    dead: str | None = None

    @classmethod
    def new(cls, token: OAuthToken) -> Entry:
        """Return the first turn of a login."""
        return cls(token, secrets.token_urlsafe(12))

    def at(self, version: int) -> Entry:
        """Return the entry as the store holds it, under this `version`."""
        return replace(self, version=version)

    def renewed(self, token: OAuthToken) -> Entry:
        """Return the next turn."""
        return Entry(token, self.grant, self.turn + 1, self.version)

    def buried(self, refused: InvalidGrant) -> Entry:
        """Return the entry of a grant that the server `refused`."""
        return replace(self, dead=refused.description)

    def is_ahead_of(self, other: Entry) -> bool:
        """Say whether this is a later turn of the same login: `other` is what a store went back to, or missed."""
        return self.grant == other.grant and self.turn > other.turn


_TYPES: Final = {"grant": str, "turn": int, "client": str, "server": str}


class Codec:
    """Makes entries of records and records of entries, for one client at one authorization server.

    A refresh token must reach nobody but the server that issued it, so a record names both, and one that names others
    is not opened. With `sealing`, records are encrypted, each for its own key.
    """

    def __init__(self, client: str, server: str, sealing: Sealing | None) -> None:
        self._client, self._server, self._sealing = client, server, sealing

    def written(self, key: str, entry: Entry) -> bytes:
        """Return the data to commit. Raises `UsageError` for a token that JSON cannot hold."""
        metadata: dict[str, Any] = {"grant": entry.grant, "turn": entry.turn}
        metadata |= {"client": self._client, "server": self._server}
        if entry.dead is not None:
            metadata["dead"] = entry.dead
        data = pack(entry.token, metadata)
        return data if self._sealing is None else self._sealing.seal(key, data)

    def read(self, key: str, record: Record) -> Entry:
        """Return what `record` holds. Raises `RecordError`: truncated, foreign, tampered with, wrongly sealed."""
        data = record.data if self._sealing is None else self._sealing.open(key, record.data)
        token, metadata = open_record(data)
        dead = metadata.get("dead")
        if any(type(metadata.get(name)) is not kind for name, kind in _TYPES.items()) or not isinstance(
            dead, str | None
        ):
            raise RecordError("does not hold a token that a vault saved")
        if (metadata["client"], metadata["server"]) != (self._client, self._server):
            raise ForeignRecordError(
                "is the token of another client or authorization server: give each vault a store, or keys, of its own"
            )
        return Entry(token, metadata["grant"], metadata["turn"], record.version, dead)
