"""The first token request of an event loop imports nothing in that loop: a thread has done it by then."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.hostile_server import Hostile, token

ROOT = Path(__file__).resolve().parents[3]

PROGRAM = """
import sys, threading
import {library}
from {library} import AsyncClient
{setup}

in_the_loop = []

class Watching:
    def find_spec(self, name, path=None, target=None):
        if threading.current_thread() is threading.main_thread():
            in_the_loop.append(name)

async def main():
    {make}
    sys.meta_path.insert(0, Watching())
    {ask}

{run}
print(*(name for name in in_the_loop if name in sys.modules))
"""
ASKING: dict[str, tuple[str, str, str]] = {
    "a client": (
        "from doorkey.integrations.httpx_client import on",
        "client = on({library!r}).AsyncOAuth2Client('c', 's', token_endpoint={url!r})",
        "await client.fetch_token()",
    ),
    "a client that signs": (
        "from doorkey.integrations.httpx_client import on",
        (
            "client = on({library!r}).AsyncOAuth2Client('c', 'a-secret-of-thirty-two-characters', "
            "token_endpoint={url!r}, token_endpoint_auth_method='client_secret_jwt')"
        ),
        "await client.fetch_token()",
    ),
    "a source": (
        "from doorkey import AsyncTokenSource, ClientCredentials",
        "source = AsyncTokenSource(ClientCredentials('c', 's'), token_endpoint={url!r})",
        "await source.token()",
    ),
    "a vault": (
        "from doorkey.stores import AsyncMemoryStore\nfrom doorkey.vault import AsyncTokenVault",
        (
            "vault = AsyncTokenVault(AsyncMemoryStore(), client_id='c', client_secret='s', token_endpoint={url!r}); "
            "await vault.save('k', dict(access_token='old', token_type='Bearer', refresh_token='rt', expires_at=1))"
        ),
        "await vault.source('k').token()",
    ),
}
RUN = {"asyncio": "import asyncio; asyncio.run(main())", "trio": "import trio; trio.run(main)"}


OF_LIBRARIES = [(library, name) for library in ("httpx2", "httpx") for name in ("a client", "a client that signs")]
OF_THEIR_OWN = [("httpx2", name) for name in ("a source", "a vault")]


@pytest.mark.parametrize(("library", "asking"), [*OF_LIBRARIES, *OF_THEIR_OWN])
@pytest.mark.parametrize("loop", list(RUN))
def test_no_module_of_ours_or_of_the_http_library_is_imported_in_the_loop(
    hostile: Hostile, asking: str, library: str, loop: str
) -> None:
    hostile.on("/token", token())
    setup, make, ask = (part.format(library=library, url=hostile.token_endpoint) for part in ASKING[asking])
    program = PROGRAM.format(library=library, setup=setup, make=make, ask=ask, run=RUN[loop])
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    slow = {"doorkey", "anyio", "httpcore", "httpcore2", "h11", "httpx", "httpx2", "joserfc", "cryptography", "trio"}
    assert [name for name in done.stdout.split() if name.partition(".")[0] in slow] == []
    assert len(hostile.token_requests) == 1
