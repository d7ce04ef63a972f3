"""A user who does not finish the login on the other device, at real servers whose codes live for seconds."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from doorkey import DeviceAuthorization, native
from doorkey.login.errors import LoginExpired
from tests.servers.handle import RealServer
from tests.servers.keycloak_realms import Admin
from tests.servers.running import started
from tests.support.cli_runner import finished

SECONDS = 1
pytestmark = pytest.mark.real_server


@dataclass(frozen=True, slots=True)
class Hasty:
    """A client whose device codes live for `SECONDS`."""

    issuer: str
    client_id: str


@pytest.fixture(scope="module")
def at_oidc_provider(oidc_provider: RealServer) -> Iterator[Hasty]:
    """Start the server once more, with its own lifetime of codes."""
    with started("oidc-provider", TTL_DEVICE=str(SECONDS)) as server:
        yield Hasty(server.issuer, "public-native")


@pytest.fixture(scope="module")
def at_keycloak(keycloak: RealServer) -> Hasty:
    client_id = f"hasty-{secrets.token_hex(4)}"
    attributes = {"oauth2.device.authorization.grant.enabled": "true", "oauth2.device.code.lifespan": str(SECONDS)}
    client = {"clientId": client_id, "publicClient": True, "attributes": attributes}
    Admin(keycloak.origin).call("POST", "/admin/realms/master/clients", client)
    return Hasty(keycloak.issuer, client_id)


@pytest.fixture(params=["keycloak", "oidc_provider"])
def hasty(request: pytest.FixtureRequest) -> Hasty:
    found: Hasty = request.getfixturevalue(f"at_{request.param}")
    return found


@pytest.mark.parametrize("world", ["blocking", "asyncio", "trio"])
def test_a_login_that_is_not_finished_expires(hasty: Hasty, world: str) -> None:
    """The time of the client stands still, so that the server ends the login."""
    shown: list[DeviceAuthorization] = []
    given: dict[str, Any] = {"show": shown.append, "clock": lambda: 1e9}
    blocking = partial(native.login_by_device, hasty.issuer, hasty.client_id, **given)
    awaiting = partial(native.alogin_by_device, hasty.issuer, hasty.client_id, **given)
    with pytest.raises(LoginExpired):
        blocking() if world == "blocking" else anyio.run(awaiting, backend=world)
    assert [device.expires_at for device in shown] == [1e9 + SECONDS]


def test_the_command_says_so_in_one_sentence_with_status_1_and_keeps_nothing(hasty: Hasty, home: Path) -> None:
    done = finished("login", hasty.issuer, "--device", "--client-id", hasty.client_id)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.search(r"\n  [A-Z]{4}-[A-Z]{4}\n", done.stderr)
    last = done.stderr.splitlines()[-1]
    assert last == "doorkey: The login has expired, because it was started too long ago. Start the login again."
    assert not home.exists()
