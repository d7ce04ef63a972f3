"""The place of `./dev demo --keycloak`: the real one, installed at the first run."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager

from demo.echo import echo_server
from demo.place import Place
from doorkey.integrations.requests_client import OAuth2Session
from tests.servers.running import started

LIFETIME = 4
"""Seconds an access token lives: short, because here expiry has to be waited for."""


@contextmanager
def keycloak() -> Generator[Place, None, None]:
    """Run Keycloak, and the echo that it lacks; it keeps its events, to count token requests by."""
    with started("keycloak", TTL_ACCESS=str(LIFETIME), REALM_eventsEnabled="true") as server, echo_server() as echo:

        def token_requests(client_id: str) -> int:
            with OAuth2Session(client_id="admin-cli") as admin:
                url = f"{server.origin}/realms/master/protocol/openid-connect/token"
                admin.fetch_token(url, username="admin", password="admin")
                wanted = {"type": "CLIENT_LOGIN", "client": client_id, "max": "1000"}
                return len(admin.get(f"{server.origin}/admin/realms/master/events", params=wanted).json())

        yield Place(
            name="a real Keycloak",
            origin=server.origin,
            echo=echo,
            clock=time.time,
            let_tokens_expire=lambda: time.sleep(LIFETIME + 1),
            token_requests=token_requests,
        )
