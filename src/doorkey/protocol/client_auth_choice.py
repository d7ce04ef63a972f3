"""Which client authentication method a client uses when several are possible (RFC 7591 §2, RFC 8414 §2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from doorkey.protocol.client_identity import ClientAuthMethod
from doorkey.values import Secret
from doorkey.wire.key_material import holds_key


def default_methods(credential: object) -> tuple[str, ...]:
    """Return the names of the methods that suit `credential`, most preferred first.

    A private key is never sent as if it were a secret: it signs (`private_key_jwt`).
    """
    if credential in (None, Secret(""), "", b""):
        return ("none",)
    if not isinstance(credential, Secret | str | bytes) or holds_key(credential):
        return ("private_key_jwt",)
    return ("client_secret_basic", "client_secret_post")


def chosen_method(preferred: Iterable[str | ClientAuthMethod], supported: object) -> str | ClientAuthMethod:
    """Return the first of the `preferred` methods that the server supports, else the most preferred one.

    `supported` is the server's list of names; without a list, every method counts as supported. A callable always does.
    """
    several = tuple(preferred)
    listed: Any = supported
    every = not isinstance(supported, list)
    usable = (one for one in several if every or not isinstance(one, str) or one in listed)
    return next(usable, several[0])


def supported(metadata: Mapping[str, Any], kind: str, what: str) -> object:
    """Return the methods that the metadata lists for the endpoint of this `kind`, else for the token endpoint (RFC 8414
    §2).

    `what` is ``"auth_methods"``, or ``"auth_signing_alg_values"`` for the algorithms of client assertions.
    """
    own = metadata.get(f"{kind}_endpoint_{what}_supported")
    return own if own is not None else metadata.get(f"token_endpoint_{what}_supported")
