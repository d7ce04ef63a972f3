"""The keys of a realm: made once, kept in its store, so that tokens outlive a restart.

A record holds the keys of one algorithm, newest first. Tokens are signed with the newest; the older ones stay in the
JWK Set until they are withdrawn. Each request reads the records, so all processes on one store see a rotation at once.
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
USUAL_ALGS = ("RS256", "ES256", "EdDSA")
"""Every realm has keys for these; for another algorithm only if the realm or a client uses it."""

MAX_KEPT = 10
"""Keys of one algorithm; the oldest go first."""


@dataclass(frozen=True, slots=True, repr=False)
class SigningKey:
    """A private key, and the one algorithm it signs with."""

    alg: str
    key: Key


@dataclass(frozen=True, slots=True, repr=False)
class RealmKeys:
    """`signing` signs tokens that others verify, newest first; `refresh` signs those that only this server reads."""

    signing: tuple[SigningKey, ...]
    refresh: Key

    def signer(self, alg: str) -> Key:
        """Return the key that signs with `alg` now."""
        return next(one.key for one in self.signing if one.alg == alg)

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The algorithms that there are keys for, each once."""
        return tuple(dict.fromkeys(one.alg for one in self.signing))

    @property
    def verifying(self) -> tuple[Key, ...]:
        """Every key whose tokens still count."""
        return tuple(one.key for one in self.signing)

    def mac(self, *parts: str) -> bytes:
        """Return 32 bytes that only this realm can compute from `parts`."""
        secret = hashlib.sha256(private_jwk(self.refresh).reveal().encode()).digest()
        return hmac.digest(secret, json.dumps(parts).encode(), "sha256")

    def bucket(self, text: str) -> str:
        """Return the bucket of `text`, one of 65,536 by a keyed hash."""
        return self.mac("bucket", text)[:2].hex()

    def public_jwks(self) -> dict[str, Any]:
        """Return the JWK Set that verifiers fetch (RFC 7517 §5)."""
        return {"keys": [one.key.public_jwk() for one in self.signing]}


def algorithms_of(settings: Settings, clients: Mapping[str, Client]) -> tuple[str, ...]:
    """Return the algorithms that a realm needs keys for: the usual ones, its own, and those of its clients."""
    used = {*USUAL_ALGS, settings.signing_alg}
    for client in clients.values():
        used |= {alg for alg in client.response_algs if alg is not None}
    return tuple(alg for alg in SIGNING_ALGS if alg in used)


class KeyRing:
    """The keys of every realm, each made when it is first needed. Safe to share between threads."""

    def __init__(self, store: Records) -> None:
        self._store = store
        self._read: dict[tuple[object, ...], tuple[tuple[str, ...], RealmKeys]] = {}
        self._lock = ForkSafeLock()

    def of(self, realm: str, algorithms: tuple[str, ...] = USUAL_ALGS, *, ids: bool = True) -> RealmKeys:
        """Return the keys of `realm` for `algorithms`, from the store if it holds them.

        Without `ids` none has a `kid`.
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
            return known[1]  # the response, if it needs no more of the store, can be given
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
            # Of several threads that read the same records, all take the keys of the first.
            again = self._read.get((realm, algorithms, ids))
            if again is None or again[0] != texts:
                self._read[realm, algorithms, ids] = again = (texts, keys)
            return again[1]

    def rotate(self, realm: str, alg: str, *, withdraw: bool = False) -> None:
        """Sign with a new key from now on. `withdraw` removes the earlier ones from the JWK Set at once."""
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
            # Of several processes that start on one file, all take the key of the first.
            self._store.add("key", name, private_jwk(_made(name, alg)).reveal(), expires_at=math.inf, now=0)
            text = self._store.get("key", name, 0)
        assert text is not None
        return text


def _name(realm: str, alg: str) -> str:
    # Where the only signing key was before there were several algorithms.
    return f"{realm}/signing" if alg == "RS256" else f"{realm}/signing/{alg}"


def _jwks(text: str) -> list[dict[str, Any]]:
    """Return the private keys of a record, newest first; before the first rotation it holds a single JWK."""
    members: dict[str, Any] = json.loads(text)
    keys: list[dict[str, Any]] = members.get("keys", [members])
    return keys


def _read(jwk: dict[str, Any]) -> Key:
    """Return the key of a record. One that this process made is sound: to check an RSA key takes 40 ms."""
    made = _spares_by_id.get(jwk.get("kid", ""))
    return made if made is not None and made.jose.as_dict(private=True) == jwk else import_key(jwk)


def _made(name: str, alg: str) -> Key:
    return spare_key(name, alg) if alg in ("RS256", "PS256") else generate_key(alg)


_spares: dict[str, Key] = {}
_spares_by_id: dict[str, Key] = {}
_spares_lock = ForkSafeLock()


def spare_key(name: str, alg: str) -> Key:
    """Return an RSA key for `name`, made once in this process: suites start many servers, and RSA is slow."""
    with _spares_lock:
        if name not in _spares:
            made = _spares[name] = generate_key(alg)
            _spares_by_id[made.jose.thumbprint()] = made
        return _spares[name]
