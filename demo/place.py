"""The server of the demo: the same steps use an embedded provider or a real Keycloak."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

CLIENT, SECRET = "client-1", "my-secret"
"""The client of the steps, which is registered at both servers."""


@dataclass(frozen=True, slots=True)
class Place:
    """A running server, and the values that a step needs.

    `echo` is the URL of an API that accepts any request with a token. `clock` returns seconds since the epoch, and
    `let_tokens_expire` returns once the access tokens that were issued so far have expired. `refreshes()` is the
    server's count of refresh requests in the realm `rotating`, where a refresh token works only once.
    """

    name: str
    origin: str
    echo: str
    clock: Callable[[], float]
    let_tokens_expire: Callable[[], None]
    refreshes: Callable[[], int]

    @property
    def issuer(self) -> str:
        """The issuer of the realm `master`."""
        return f"{self.origin}/realms/master"

    @property
    def rotating(self) -> str:
        """The issuer of the realm `rotating`."""
        return f"{self.origin}/realms/rotating"

    @property
    def sessions(self) -> str:
        """The URL of an API that removes a session, to which the id of the session is appended."""
        return f"{self.origin}/admin/realms/master/sessions/"


def token_endpoint(issuer: str) -> str:
    """Return the URL of an issuer's token endpoint."""
    return f"{issuer}/protocol/openid-connect/token"
