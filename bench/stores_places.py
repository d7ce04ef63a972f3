"""The running stores that are measured, each with a first token."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bench.stores_worker import KEY, store_at, vault_of
from doorkey.stores import SQLStore

ROOT = Path(__file__).resolve().parents[1]


class Place(NamedTuple):
    """A kind of store, and its address."""

    kind: str
    address: str


@contextmanager
def places(folder: Path) -> Generator[list[Place]]:
    """Yield the places of SQLite, and of Redis and PostgreSQL if the machine has them."""
    found = [Place("sqlite", str(folder / "tokens.db"))]
    with ExitStack() as stack:
        for kind in ("redis", "postgres"):
            address = stack.enter_context(_kept(kind))
            if address is not None:
                found.append(Place(kind, address))
        yield found


@contextmanager
def _kept(kind: str) -> Generator[str | None]:
    command = [sys.executable, "-m", "tests.vault.keeper", kind]
    keeper = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    with keeper.stdout, keeper.stdin:
        address = json.loads(keeper.stdout.readline()).get("address")
        if kind == "postgres" and address is not None:
            store = SQLStore(address)
            store.create_table()
            store.close()
        yield address
    keeper.wait(60)


def seeded(library: str, place: Place, endpoint: str, now: float) -> None:
    """Save the first token in the store or file of `library`."""
    token: dict[str, Any] = {
        "access_token": "at-0",
        "refresh_token": "rt-0",
        "expires_in": 3600,
        "token_type": "Bearer",
    }
    if library == "doorkey":
        with vault_of(store_at(*place), endpoint, clock=lambda: now) as vault:
            store = vault._store
            record = store.load(KEY)
            if record is not None:  # of an earlier server
                store.commit(KEY, None, expected=record.version)
            vault.save(KEY, token)
    elif library == "msal":
        _seed_msal(place.address, token)
    else:
        Path(place.address).write_text(json.dumps({**token, "expires_at": now + 3600}))


def _seed_msal(address: str, token: dict[str, Any]) -> None:
    from importlib import import_module

    from bench.stores_server import ID_TOKEN

    extensions: Any = import_module("msal_extensions")
    Path(address).unlink(missing_ok=True)
    cache = extensions.PersistedTokenCache(extensions.FilePersistence(address))
    cache.add(
        {
            "client_id": "app",
            "scope": ["api"],
            "environment": "as.example",
            "token_endpoint": "https://as.example/tenant/token_endpoint",
            "response": {**token, "scope": "api", "id_token": ID_TOKEN, "id_token_claims": {"sub": "u"}},
        }
    )
