"""Where the demo runs: the same steps ask an embedded provider or a real Keycloak."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

CLIENT, SECRET = "client-1", "my-secret"
"""The client of the steps, as the servers know it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A running server, and what a step has to know of it.

    `echo` answers any request that carries a token. `clock` returns seconds since the epoch, and `let_tokens_expire`
    returns once the access tokens that were issued so far have expired. `refreshes()` is the server's own count of the
    refreshes that it was asked for in the realm `rotating`, where a refresh token works once.
    """

    name: str
    origin: str
    echo: str
    clock: Callable[[], float]
    let_tokens_expire: Callable[[], None]
    refreshes: Callable[[], int]

    @property
    def issuer(self) -> str:
        """The realm `master`."""
        return f"{self.origin}/realms/master"

    @property
    def rotating(self) -> str:
        """The realm `rotating`."""
        return f"{self.origin}/realms/rotating"

    @property
    def sessions(self) -> str:
        """An API: what the id of a session is added to, to remove it."""
        return f"{self.origin}/admin/realms/master/sessions/"


def token_endpoint(issuer: str) -> str:
    """Return where an issuer is asked for tokens."""
    return f"{issuer}/protocol/openid-connect/token"
