"""Where the demo runs: the same steps ask an embedded provider or a real Keycloak."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A running server, and what a step has to know of it.

    `echo` answers the `Authorization` header that came to it. `clock` returns seconds since the epoch, and
    `let_tokens_expire` returns once the access tokens that were issued so far have expired. `token_requests(client_id)`
    is the server's own count of that client's requests for client credentials.
    """

    name: str
    origin: str
    echo: str
    clock: Callable[[], float]
    let_tokens_expire: Callable[[], None]
    token_requests: Callable[[str], int]

    @property
    def issuer(self) -> str:
        """The realm `master`."""
        return f"{self.origin}/realms/master"

    @property
    def token_endpoint(self) -> str:
        """Where tokens are asked for."""
        return f"{self.issuer}/protocol/openid-connect/token"

    @property
    def authorization_endpoint(self) -> str:
        """Where people log in."""
        return f"{self.issuer}/protocol/openid-connect/auth"

    @property
    def userinfo_endpoint(self) -> str:
        """The user who has logged in."""
        return f"{self.issuer}/protocol/openid-connect/userinfo"

    @property
    def users_count(self) -> str:
        """An API: how many users the realm has."""
        return f"{self.origin}/admin/realms/master/users/count"

    @property
    def sessions(self) -> str:
        """An API: what the id of a session is added to, to remove it."""
        return f"{self.origin}/admin/realms/master/sessions/"
