"""A client that is used in one event loop after another leaves nothing open in those that have ended."""

import subprocess
import sys
from typing import Any

import anyio
import httpx
import httpx2
import pytest

from doorkey.dev import Provider
from doorkey.integrations.httpx_client import on

WAIT = 60.0
TOKEN = {"access_token": "at-1"}

TWO_LOOPS = """
import asyncio, sys

world, kind, issuer, api = sys.argv[1:]
endpoint = issuer + "/protocol/openid-connect/token"

if kind == "source":
    from doorkey import AsyncTokenSource
    from doorkey.credentials import ResourceOwnerCredentials

    robot = ResourceOwnerCredentials("admin-cli").with_username_password("admin", "admin")
    source = AsyncTokenSource(robot, token_endpoint=endpoint)

    async def use():
        source.reject(await source.token())
else:
    from doorkey.integrations.httpx_client import on

    client = on(kind).AsyncOAuth2Client("admin-cli", token_endpoint=endpoint)

    async def use():
        await client.fetch_token(username="admin", password="admin")
        assert (await client.get(api)).status_code == 200

async def main():
    asyncio.get_running_loop().slow_callback_duration = 60  # this is not about speed
    await use()

if world == "trio":
    import trio

    trio.run(use)
    trio.run(use)
else:
    asyncio.run(main())
    asyncio.run(main())
"""


@pytest.mark.parametrize("world", ["asyncio", "trio"])
@pytest.mark.parametrize("kind", ["httpx2", "httpx", "source"])
def test_two_event_loops_in_a_row_leave_nothing_open(world: str, kind: str) -> None:
    with Provider() as provider:
        api = provider.issuer.replace("/realms/", "/admin/realms/") + "/users/count"
        command = [sys.executable, "-X", "dev", "-W", "error", "-c", TWO_LOOPS, world, kind, provider.issuer, api]
        done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


class Noting:
    """A transport that notes what becomes of it."""

    def __init__(self, lib: Any) -> None:
        self.lib, self.closed = lib, 0

    async def handle_async_request(self, request: Any) -> Any:
        return self.lib.Response(200, request=request)

    async def aclose(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("lib", [httpx2, httpx])
@pytest.mark.parametrize("where", ["transport", "mounts"])
@pytest.mark.parametrize("world", ["asyncio", "trio"])
def test_a_transport_that_was_given_is_not_closed_with_its_loop(lib: Any, where: str, world: str) -> None:
    given = Noting(lib)
    options: Any = {"transport": given} if where == "transport" else {"mounts": {"all://": given}}
    client = on(lib.__name__).AsyncOAuth2Client("c", token=TOKEN, **options)

    async def use() -> int:
        return int((await client.get("https://api.example/")).status_code)

    assert [anyio.run(use, backend=world) for _ in range(2)] == [200, 200]
    assert given.closed == 0
    anyio.run(client.aclose, backend=world)
    assert given.closed == 1
