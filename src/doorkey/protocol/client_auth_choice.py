"""Chooses the client authentication method if several are possible (RFC 7591 §2, RFC 8414 §2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from doorkey.protocol.client_identity import ClientAuthMethod
from doorkey.values import Secret
from doorkey.wire.key_material import holds_key


def default_methods(credential: object) -> tuple[str, ...]:
    """Return the names of the methods that suit `credential`, most preferred first.

    A private key is only used to sign (`private_key_jwt`), and never sent as a secret.
    """
    if credential in (None, Secret(""), "", b""):
        return ("none",)
    if not isinstance(credential, Secret | str | bytes) or holds_key(credential):
        return ("private_key_jwt",)
    return ("client_secret_basic", "client_secret_post")


def chosen_method(preferred: Iterable[str | ClientAuthMethod], supported: object) -> str | ClientAuthMethod:
    """Return the first of the `preferred` methods that the server supports, else the first of all.

    supported: the server's list of names. Without a list, every method counts as supported. A callable always does.
    """
    several = tuple(preferred)
    listed: Any = supported
    every = not isinstance(supported, list)
    usable = (one for one in several if every or not isinstance(one, str) or one in listed)
    return next(usable, several[0])


def supported(metadata: Mapping[str, Any], kind: str, what: str) -> object:
    """Return the list in the metadata for the endpoint of this `kind`, else that for the token endpoint (RFC 8414 §2).

    kind: the endpoint, such as ``"revocation"``.
    what: ``"auth_methods"``, or ``"auth_signing_alg_values"`` for the algorithms of client assertions.

    The result is None if the metadata has neither.
    """
    own = metadata.get(f"{kind}_endpoint_{what}_supported")
    return own if own is not None else metadata.get(f"token_endpoint_{what}_supported")
