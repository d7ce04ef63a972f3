"""The identity of a client while a request is authenticated, and the type of a client authentication method."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from doorkey.protocol.kept_key import KeptKey
from doorkey.values import Secret
from doorkey.wire.flow import Flow

Headers: TypeAlias = MutableMapping[str, str]
Signed: TypeAlias = "tuple[str, Mapping[str, str], str | bytes]"
ClientAuthMethod: TypeAlias = (
    "Callable[[ClientIdentity, str, str, Headers, str], Signed | Awaitable[Signed] | Flow[Signed]]"
)
"""``(client, method, uri, headers, body) -> (uri, headers, body)``; awaitable only for an asynchronous client."""


@dataclass(frozen=True, slots=True)
class ClientIdentity:
    """The identity of a client while one request is authenticated.

    `credential` is the secret, or the private key (PEM, JWK or key object). `audience` is whom a client assertion is
    for unless the method names it itself: the issuer where it is known, else the token endpoint. `now` is in seconds.
    `signing_algs` are the algorithms of client assertions that the server's metadata lists (RFC 8414 §2), if it does.
    `keys` keeps the credential as a key once it has been read.
    """

    client_id: str
    credential: object
    audience: str
    now: float
    signing_algs: object = None
    keys: KeptKey = field(default_factory=KeptKey, compare=False)

    @property
    def client_secret(self) -> Any:
        """The secret as the user gave it, for methods that need it; the empty string where there is none."""
        if isinstance(self.credential, Secret):
            return self.credential.reveal()
        return "" if self.credential is None else self.credential

    def __repr__(self) -> str:
        return f"<ClientIdentity {self.client_id!r}>"
