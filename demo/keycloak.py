"""The place of `./dev demo --keycloak`: a real Keycloak, installed at the first run."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager

from demo.echo import echo_server
from demo.place import Place, token_endpoint
from doorkey.integrations.requests_client import OAuth2Session
from tests.servers.running import started

LIFETIME = 4
"""The lifetime of an access token in seconds. It is short, because the steps wait until a token expires."""

_EVENTS = {"eventsEnabled": True, "enabledEventTypes": ["REFRESH_TOKEN", "REFRESH_TOKEN_ERROR"]}
"""The events that the realm `rotating` stores. By default, Keycloak stores no refreshes."""


@contextmanager
def keycloak() -> Generator[Place, None, None]:
    """Run Keycloak, which stores its events for the count of refreshes, and an echo server."""
    with started("keycloak", TTL_ACCESS=str(LIFETIME)) as server, echo_server() as echo:
        events = f"{server.origin}/admin/realms/rotating/events"
        with _admin(server.realm("master")) as admin:
            admin.put(f"{events}/config", json=_EVENTS).raise_for_status()

        def refreshes() -> int:
            with _admin(server.realm("master")) as admin:
                return len(admin.get(events, params={"max": "1000"}).json())

        yield Place(
            name="a real Keycloak",
            origin=server.origin,
            echo=echo,
            clock=time.time,
            let_tokens_expire=lambda: time.sleep(LIFETIME + 1),
            refreshes=refreshes,
        )


@contextmanager
def _admin(issuer: str) -> Generator[OAuth2Session, None, None]:
    with OAuth2Session(client_id="admin-cli") as session:
        session.fetch_token(token_endpoint(issuer), username="admin", password="admin")
        yield session
