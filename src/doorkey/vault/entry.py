"""The content of a vault's record: a token, its client and server, the id of its login, and its rotation number."""

from __future__ import annotations

import hashlib
import inspect
import logging
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Final, Protocol

from doorkey.errors import InvalidGrant, OAuthError, RecordError, StoreError, UsageError
from doorkey.stores.envelope import open_record, pack
from doorkey.stores.limits import MAX_DATA
from doorkey.stores.protocol import Record
from doorkey.tokens import OAuthToken, OtherMembers
from doorkey.values import RedactedBytes

__all__: list[str] = []

_log = logging.getLogger("doorkey.vault")


class Sealing(Protocol):
    """Encrypts records: see `doorkey.stores.encryption.Sealer`.

    If both methods also take `version=`, they get the version of the record, and must authenticate it.
    """

    def seal(self, key: str, data: bytes, /) -> bytes:
        """Return `data` sealed for the record of `key`."""
        ...

    def open(self, key: str, sealed: bytes, /) -> bytes:
        """Return the data that was `sealed` for the record of `key`. Raises `RecordError`."""
        ...


class ForeignRecordError(RecordError):
    """The record is a token of another client or authorization server, and is left unchanged."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The parsed content of a record.

    `login_id` is random and new with each `save`; `rotation` counts the renewals since. Of two entries of one login,
    the entry with the higher rotation has the refresh token that still works. `version` is that of the record. `dead`
    is the server's description of its error if it rejected the grant, and None otherwise. `used` are digests of the
    token that this rotation used up; only the process that renewed it has them, and no record does.
    """

    token: OAuthToken
    login_id: str
    rotation: int = 0
    version: int = 0
    dead: str | None = None
    used: tuple[bytes, bytes] | None = field(default=None, repr=False)

    @classmethod
    def new(cls, token: OAuthToken) -> Entry:
        """Return the entry of a new login."""
        return cls(token, secrets.token_urlsafe(12))

    def at(self, version: int) -> Entry:
        """Return the entry with the `version` that the store gave it."""
        return replace(self, version=version)

    def renewed(self, token: OAuthToken) -> Entry:
        """Return the next rotation of this entry, with the renewed `token`."""
        return Entry(token, self.login_id, self.rotation + 1, self.version, used=_digests(self.token))

    def marked_dead(self, refused: InvalidGrant) -> Entry:
        """Return the entry with the mark that the server `refused` its grant."""
        return replace(self, dead=refused.description)

    def supersedes(self, other: Entry) -> bool:
        """Return whether this is a later rotation of the login of `other`, which is for instance from a restored store.

        It also supersedes a new login with the same token that this rotation has used up: that token was saved again.
        """
        if self.login_id == other.login_id:
            return self.rotation > other.rotation
        return self.dead is None and self._has_used(other.token)

    def is_same_rotation_as(self, other: Entry) -> bool:
        """Return whether both are the same rotation of one login."""
        return (self.login_id, self.rotation) == (other.login_id, other.rotation)

    def _has_used(self, token: OAuthToken) -> bool:
        if self.used is None or token.refresh_token is None:
            return False
        used, theirs, mine = self.used, _digests(token), _digests(self.token)
        # A server that does not rotate may issue the same refresh token for a new login. Then compare both digests
        return theirs == used if mine[0] == used[0] else theirs[0] == used[0]


def _digests(token: OAuthToken) -> tuple[bytes, bytes]:
    """Return digests of the refresh token and the access token, because the tokens would stay in memory for long."""
    refresh, access = token.refresh_token, token.access_token
    return _digest(refresh.reveal() if refresh is not None else ""), _digest(access.reveal())


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


_NO_TYPES: Final[Mapping[str, str]] = MappingProxyType({})
_MEMBER_TYPES: Final = {"grant": str, "turn": int, "client": str, "server": str}


class Codec:
    """Converts records to entries and entries to records, for one client at one authorization server.

    A refresh token may be sent only to the server that issued it. So a record names its client and server, and a record
    with other names is not used. With `sealing`, records are encrypted, each for its own key. `types` is the meaning of
    token types that only this server uses.
    """

    def __init__(self, client: str, server: str, sealing: Sealing | None, types: Mapping[str, str] = _NO_TYPES) -> None:
        self._client, self._server, self._sealing = client, server, sealing
        self._token_types = types
        self.binds_versions = sealing is not None and _takes_version(sealing.seal) and _takes_version(sealing.open)

    def written(self, key: str, entry: Entry, version: int) -> bytes:
        """Return the data of `entry` for a commit that will create `version`.

        A renewal has used up the old refresh token, so the new one must be saved. If the token does not fit into a
        record, members are omitted, and a warning names them. Raises `UsageError` for the token of a new login that is
        not JSON or too large, and for a renewed one whose access and refresh tokens alone are too large. Raises
        `StoreError` if the user's own sealer fails.
        """
        try:
            return self._written(key, entry, entry.token, version)
        except UsageError:
            if not entry.rotation and entry.dead is None:
                raise
        for token in _smaller(entry.token):
            try:
                data = self._written(key, entry, token, version)
            except UsageError:
                continue
            left = ", ".join(sorted(entry.token.to_dict().keys() - token.to_dict().keys()))
            _log.warning("the record of a renewed token was saved without members that do not fit: %s", left)
            return data
        raise UsageError("the access token and the refresh token together do not fit into a record")

    def _written(self, key: str, entry: Entry, token: OAuthToken, version: int) -> bytes:
        metadata: dict[str, Any] = {"grant": entry.login_id, "turn": entry.rotation}
        metadata |= {"client": self._client, "server": self._server}
        if entry.dead is not None:
            metadata["dead"] = entry.dead
        data = pack(token, metadata)
        if self._sealing is not None:
            data = _applied(self._bound(self._sealing.seal, version), key, data)
        if len(data) > MAX_DATA:
            raise UsageError(f"a record has at most {MAX_DATA} bytes, and this token takes {len(data)}")
        return data

    def read(self, key: str, record: Record) -> Entry:
        """Return the entry in `record`.

        Raises `RecordError` for a record that is truncated, foreign, tampered with or sealed with another key, and
        `StoreError` if the user's own sealer fails.
        """
        data: bytes = RedactedBytes(record.data)
        if self._sealing is not None:
            data = _applied(self._bound(self._sealing.open, record.version), key, data)
        token, metadata = open_record(data)
        dead = metadata.get("dead")
        if any(type(metadata.get(name)) is not kind for name, kind in _MEMBER_TYPES.items()) or not isinstance(
            dead, str | None
        ):
            raise RecordError("does not contain a token that a vault saved")
        if (metadata["client"], metadata["server"]) != (self._client, self._server):
            raise ForeignRecordError(
                "is the token of another client or authorization server: use a separate store, or other keys, for each"
            )
        typed = token.of_type(self._token_types) if self._token_types else token
        return Entry(typed, metadata["grant"], metadata["turn"], record.version, dead)

    def _bound(self, work: Callable[..., bytes], version: int) -> Callable[[str, bytes], bytes]:
        return partial(work, version=version) if self.binds_versions else work


def _smaller(token: OAuthToken) -> Iterator[OAuthToken]:
    """Yield `token` without its extra members, and then also without the ID token and the scope.

    The next renewal does not need them: without a scope it requests the granted scope (RFC 6749 §6).
    """
    bare = replace(token, extra=OtherMembers())
    yield bare
    yield replace(bare, id_token=None, scope=None)


def _takes_version(work: Callable[..., object]) -> bool:
    """Return whether a method of the sealer, which may be the user's own, has a parameter `version`."""
    try:
        return "version" in inspect.signature(work).parameters
    except (TypeError, ValueError):  # a callable without a readable signature
        return False


def _applied(work: Callable[[str, bytes], object], key: str, data: bytes) -> bytes:
    """Return the result of the sealer's method `work`. Raises `StoreError` if it fails, as a key service may."""
    try:
        done = work(key, data)
    except OAuthError:
        raise
    except Exception as error:
        raise StoreError(
            f"the sealer failed with {type(error).__name__}", retryable=isinstance(error, OSError)
        ) from error
    if not isinstance(done, bytes):
        raise StoreError(f"a sealer must return bytes, not {type(done).__name__}")
    return RedactedBytes(done)
