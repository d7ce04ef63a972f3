"""`KeySet`: several keys as one value (RFC 7517 §5)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Self, cast

from doorkey.arguments import members, text
from doorkey.errors import UsageError
from doorkey.jose.keys import Key, import_key
from doorkey.values import clears_locals


class KeySet(tuple[Key, ...]):
    """A tuple of keys. Every parameter for keys accepts it. Its repr shows no key material.

    keys: keys as `doorkey.jose.keys.import_key` reads them, private keys and secrets included.

    Raises `UsageError` for a key that cannot be read. `JsonWebKey.import_key_set` reads a published set, and skips keys
    that it cannot use.
    """

    __slots__ = ()

    @clears_locals
    def __new__(cls, keys: Iterable[object] = ()) -> Self:  # noqa: D102  # the class documents it
        expected = "keys must be a list of keys; JsonWebKey.import_key_set reads a JWK Set"
        return super().__new__(cls, tuple(import_key(key) for key in members(keys, expected)))

    @property
    def keys(self) -> tuple[Key, ...]:
        """The keys."""
        return tuple(self)

    def find_by_kid(self, kid: str | None) -> Key:
        """Return the key with this `kid`.

        kid: the `kid`, or None for the only key of the set.

        Raises `UsageError` if no key has this `kid`, and for None unless the set has exactly one key.
        """
        if kid is None:
            if len(self) != 1:
                raise UsageError(f"this set has {len(self)} keys: give the `kid` of the key")
            return self[0]
        named = [key for key in self if key.kid == text(kid, "kid")]
        if not named:
            raise UsageError("no key of this set has the given `kid`")
        return named[0]

    def as_dict(self, is_private: bool = False, **params: Any) -> dict[str, Any]:  # by position
        """Return the JWK Set.

        is_private: True for the whole keys, False for their public halves.
        params: further members of the set.

        Raises the errors of `Key.as_dict`.
        """
        return {**params, "keys": [key.as_dict(is_private) for key in self]}

    def as_json(self, is_private: bool = False, **params: Any) -> str:  # by position
        """Return `as_dict` as JSON. The parameters and errors are the same."""
        return json.dumps(self.as_dict(is_private, **params), separators=(",", ":"))

    def __repr__(self) -> str:
        return f"<KeySet {', '.join(repr(key) for key in cast('Iterable[Key]', self))}>" if self else "<KeySet>"
