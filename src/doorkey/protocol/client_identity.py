"""The identity of a client during the authentication of a request, and the type of client authentication methods."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from doorkey.protocol.cached_key import CachedKey
from doorkey.values import Secret
from doorkey.wire.flow import Flow

Headers: TypeAlias = MutableMapping[str, str]
Signed: TypeAlias = "tuple[str, Mapping[str, str], str | bytes]"
ClientAuthMethod: TypeAlias = (
    "Callable[[ClientIdentity, str, str, Headers, str], Signed | Awaitable[Signed] | Flow[Signed]]"
)
"""``(client, method, uri, headers, body) -> (uri, headers, body)``. It may be awaitable for an asynchronous client."""


@dataclass(frozen=True, slots=True)
class ClientIdentity:
    """The identity of a client during the authentication of one request.

    client_id: the client's ID.
    credential: the secret, or the private key (PEM, JWK or key object), or None.
    audience: the default `aud` of a client assertion: the issuer if it is known, else the token endpoint if it is at
        the origin of the request, else the URL of the request.
    now: seconds since the epoch.
    signing_algs: the algorithms of client assertions in the server's metadata (RFC 8414 §2), or None.
    keys: caches the key that was read from the credential.
    """

    client_id: str
    credential: object
    audience: str
    now: float
    signing_algs: object = None
    keys: CachedKey = field(default_factory=CachedKey, compare=False)

    @property
    def client_secret(self) -> Any:
        """The credential as the program gave it, in the clear. The empty string if there is no credential."""
        if isinstance(self.credential, Secret):
            return self.credential.reveal()
        return "" if self.credential is None else self.credential

    def __repr__(self) -> str:
        return f"<ClientIdentity {self.client_id!r}>"
