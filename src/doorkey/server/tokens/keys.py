"""The keys of a realm: made once, kept in its store, so that tokens outlive a restart."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from dataclasses import dataclass
from typing import Any

from doorkey.jose.generation import generate_key, private_jwk
from doorkey.jose.keys import Key, import_key
from doorkey.runtime.forks import ForkSafeLock
from doorkey.server.storage.records import Records

SIGNING_ALG = "RS256"
REFRESH_ALG = "HS512"


@dataclass(frozen=True, slots=True, repr=False)
class RealmKeys:
    """`signing` signs tokens that others verify; `refresh` signs those that only this server reads."""

    signing: Key
    refresh: Key

    def mac(self, *parts: str) -> bytes:
        """Return 32 bytes that only this realm can compute from `parts`."""
        secret = hashlib.sha256(private_jwk(self.refresh).reveal().encode()).digest()
        return hmac.digest(secret, json.dumps(parts).encode(), "sha256")

    def bucket(self, text: str) -> str:
        """Return the bucket of `text`, one of 65,536 by a keyed hash."""
        return self.mac("bucket", text)[:2].hex()

    def public_jwks(self) -> dict[str, Any]:
        """Return the JWK Set that verifiers fetch (RFC 7517 §5)."""
        return {"keys": [self.signing.public_jwk()]}


class KeyRing:
    """The keys of every realm, each made when it is first needed. Safe to share between threads."""

    def __init__(self, store: Records) -> None:
        self._store = store
        self._keys: dict[str, RealmKeys] = {}
        self._lock = ForkSafeLock()

    def of(self, realm: str) -> RealmKeys:
        """Return the keys of `realm`, from the store if it holds them."""
        if (known := self._keys.get(realm)) is not None:
            return known
        with self._lock:
            if realm not in self._keys:
                signing = self._kept(f"{realm}/signing", SIGNING_ALG)
                self._keys[realm] = RealmKeys(signing, self._kept(f"{realm}/refresh", REFRESH_ALG))
            return self._keys[realm]

    def _kept(self, name: str, alg: str) -> Key:
        text = self._store.get("key", name, 0)
        if text is None:
            made = spare_key(name) if alg == SIGNING_ALG else generate_key(alg)
            # Of several processes that start on one file, all take the key of the first.
            self._store.add("key", name, private_jwk(made).reveal(), expires_at=math.inf, now=0)
            text = self._store.get("key", name, 0)
        assert text is not None
        return import_key(text)


_spares: dict[str, Key] = {}
_spares_lock = ForkSafeLock()


def spare_key(name: str) -> Key:
    """Return an RSA key for `name`, made once in this process: suites start many servers, and RSA is slow."""
    with _spares_lock:
        if name not in _spares:
            _spares[name] = generate_key(SIGNING_ALG)
        return _spares[name]
