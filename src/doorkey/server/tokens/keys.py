"""The keys of a realm. They are generated once and stored, so that tokens stay valid after a restart.

A record contains the keys of one algorithm, newest first. Tokens are signed with the newest key. Older keys stay in the
JWK Set until they are withdrawn. Each request reads the records, so all processes that share a store see a rotation at
once.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from doorkey.errors import StoreError
from doorkey.jose.generation import generate_key, private_jwk
from doorkey.jose.keys import Key, import_key
from doorkey.runtime.forks import ForkSafeLock
from doorkey.server.model import Settings
from doorkey.server.registrations import SIGNING_ALGS, Client
from doorkey.server.storage.records import Records

REFRESH_ALG = "HS512"
DEFAULT_ALGS = ("RS256", "ES256", "EdDSA")
"""Every realm has keys for these algorithms, and for another algorithm only if the realm or a client uses it."""

MAX_KEPT = 10
"""Limit of keys of one algorithm; beyond it the oldest is removed."""


@dataclass(frozen=True, slots=True, repr=False)
class SigningKey:
    """A private key, and its only algorithm."""

    alg: str
    key: Key


@dataclass(frozen=True, slots=True, repr=False)
class RealmKeys:
    """The keys of a realm for some algorithms.

    `signing` are the keys for tokens that others verify, newest first for each algorithm. `refresh` is the key for
    tokens and forms that only this server reads.
    """

    signing: tuple[SigningKey, ...]
    refresh: Key

    def signer(self, alg: str) -> Key:
        """Return the current key for signing with `alg`."""
        return next(one.key for one in self.signing if one.alg == alg)

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The algorithms of the signing keys, without duplicates."""
        return tuple(dict.fromkeys(one.alg for one in self.signing))

    @property
    def verifying(self) -> tuple[Key, ...]:
        """All keys whose signatures are still accepted."""
        return tuple(one.key for one in self.signing)

    def mac(self, *parts: str) -> bytes:
        """Return the HMAC-SHA-256 of `parts` with a key of this realm: 32 bytes."""
        secret = hashlib.sha256(private_jwk(self.refresh).reveal().encode()).digest()
        return hmac.digest(secret, json.dumps(parts).encode(), "sha256")

    def bucket(self, text: str) -> str:
        """Return the bucket of `text`: one of 65,536, chosen by a keyed hash."""
        return self.mac("bucket", text)[:2].hex()

    def public_jwks(self) -> dict[str, Any]:
        """Return the JWK Set that verifiers fetch (RFC 7517 §5)."""
        return {"keys": [one.key.public_jwk() for one in self.signing]}


def algorithms_of(settings: Settings, clients: Mapping[str, Client]) -> tuple[str, ...]:
    """Return the algorithms that a realm needs keys for: the defaults, its own, and those of its clients."""
    used = {*DEFAULT_ALGS, settings.signing_alg}
    for client in clients.values():
        used |= {alg for alg in client.response_algs if alg is not None}
    return tuple(alg for alg in SIGNING_ALGS if alg in used)


class KeyRing:
    """The keys of every realm, each generated when it is first needed. Thread-safe."""

    def __init__(self, store: Records) -> None:
        self._store = store
        self._read: dict[tuple[object, ...], tuple[tuple[str, ...], RealmKeys]] = {}
        self._lock = ForkSafeLock()

    def of(self, realm: str, algorithms: tuple[str, ...] = DEFAULT_ALGS, *, ids: bool = True) -> RealmKeys:
        """Return the keys of `realm` for `algorithms`, and generate those that the store does not contain.

        If `ids` is False, no key has a `kid`. Raises `StoreError` if the store fails and no keys were read before.
        """
        known = self._read.get((realm, algorithms, ids))
        try:
            texts = (
                self._text(f"{realm}/refresh", REFRESH_ALG),
                *(self._text(_name(realm, alg), alg) for alg in algorithms),
            )
        except StoreError:
            if known is None:
                raise
            return known[1]  # a response that needs nothing else from the store is still possible
        if known is not None and known[0] == texts:
            return known[1]
        refresh, *signing = texts
        keys = RealmKeys(
            tuple(
                SigningKey(alg, _read(jwk) if ids else import_key({name: jwk[name] for name in jwk if name != "kid"}))
                for alg, text in zip(algorithms, signing, strict=True)
                for jwk in _jwks(text)
            ),
            import_key(refresh),
        )
        with self._lock:
            # If several threads read the same records, all use the keys of the first thread.
            again = self._read.get((realm, algorithms, ids))
            if again is None or again[0] != texts:
                self._read[realm, algorithms, ids] = again = (texts, keys)
            return again[1]

    def rotate(self, realm: str, alg: str, *, withdraw: bool = False) -> None:
        """Generate a new key for signing with `alg`. `withdraw` removes the earlier keys from the JWK Set at once."""
        name = _name(realm, alg)
        while True:
            old = self._text(name, alg)
            kept = _jwks(old)
            made = json.loads(private_jwk(_made(f"{name}/after/{kept[0].get('kid')}", alg)).reveal())
            new = json.dumps({"keys": [made, *([] if withdraw else kept[: MAX_KEPT - 1])]}, separators=(",", ":"))
            if self._store.swap("key", name, old, new, expires_at=math.inf, now=0):
                return

    def _text(self, name: str, alg: str) -> str:
        text = self._store.get("key", name, 0)
        if text is None:
            # If several processes start on one file, all use the key of the first process.
            self._store.add("key", name, private_jwk(_made(name, alg)).reveal(), expires_at=math.inf, now=0)
            text = self._store.get("key", name, 0)
        assert text is not None
        return text


def _name(realm: str, alg: str) -> str:
    # RS256 has the old name of the record, which stores had before they had keys for several algorithms.
    return f"{realm}/signing" if alg == "RS256" else f"{realm}/signing/{alg}"


def _jwks(text: str) -> list[dict[str, Any]]:
    """Return the private keys of a record, newest first. Before the first rotation a record is a single JWK."""
    members: dict[str, Any] = json.loads(text)
    keys: list[dict[str, Any]] = members.get("keys", [members])
    return keys


def _read(jwk: dict[str, Any]) -> Key:
    """Return the key of a record. A key that this process generated is not checked again: 40 ms for an RSA key."""
    made = _spares_by_id.get(jwk.get("kid", ""))
    return made if made is not None and made.jose.as_dict(private=True) == jwk else import_key(jwk)


def _made(name: str, alg: str) -> Key:
    return spare_key(name, alg) if alg in ("RS256", "PS256") else generate_key(alg)


_spares: dict[str, Key] = {}
_spares_by_id: dict[str, Key] = {}
_spares_lock = ForkSafeLock()


def spare_key(name: str, alg: str) -> Key:
    """Return the RSA key for `name`, generated once in this process.

    Generation is slow, and test suites start many servers.
    """
    with _spares_lock:
        if name not in _spares:
            made = _spares[name] = generate_key(alg)
            _spares_by_id[made.jose.thumbprint()] = made
        return _spares[name]
