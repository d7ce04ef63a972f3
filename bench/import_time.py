"""The time to import a client in addition to its HTTP library, measured in fresh interpreters."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable

from bench.row import Row, milliseconds
from bench.server import Served

HEAVY = ("joserfc", "cryptography", "starlette", "uvicorn", "flask", "django", "aiohttp", "rich", "click")

TIMED = """
import sys, time, {base}
before = set(sys.modules)
begun = time.perf_counter()
{work}
print(time.perf_counter() - begun, *(set(sys.modules) - before))
"""

FIRST_REQUEST = """
import httpx2
from {module} import OAuth2Client
transport = httpx2.MockTransport(lambda request: httpx2.Response(200))
OAuth2Client("id", token={{"access_token": "t", "token_type": "Bearer", "expires_at": 9e9, "expires_in": 3600}},
             transport=transport).get("http://127.0.0.1/")
"""

HTTPX2 = ("httpx2", "doorkey.integrations.httpx_client", "authlib.integrations.httpx_client")
REQUESTS = ("requests", "doorkey.integrations.requests_client", "authlib.integrations.requests_client")


def measure(_: Served, effort: float) -> list[Row]:
    runs = max(2, int(15 * effort))
    table: list[Row] = []
    for base, ours, theirs in (HTTPX2, REQUESTS):
        mine, peer = _best(base, [f"import {ours}", f"import {theirs}"], runs)
        table.append(_row(f"import {ours}, beyond {base}", mine[0], peer[0], 1 / 3))
        heavy = sorted({name.partition(".")[0] for name in mine[1]} & set(HEAVY))
        said = f"{len(mine[1])} modules" + (f", {', '.join(heavy)}" if heavy else "")
        peer_heavy = sorted({name.partition(".")[0] for name in peer[1]} & set(HEAVY))
        said_of_peer = f"authlib {len(peer[1])} modules, {', '.join(peer_heavy)}"
        table.append(Row(f"import {ours}: what comes with it", said, said_of_peer, "", "no JOSE", not heavy))
    work = [FIRST_REQUEST.format(module=module) for module in HTTPX2[1:]]
    mine, peer = _best("httpx2", work, runs)
    table.append(_row("import, construct, first request (httpx2, in memory)", mine[0], peer[0], None))
    return table


def _row(name: str, ours: float, theirs: float, limit: float | None) -> Row:
    target = f"≤ {limit:.2f}" if limit else ""
    met = ours <= theirs * limit if limit else None
    return Row(name, milliseconds(ours), f"authlib {milliseconds(theirs)}", f"{ours / theirs:.2f}", target, met)


def _best(base: str, works: Iterable[str], runs: int) -> list[tuple[float, list[str]]]:
    """Return the minimum seconds of each work, which run in turns, and the modules that it loaded."""
    works = list(works)
    found: list[list[float]] = [[] for _ in works]
    loaded: list[list[str]] = [[] for _ in works]
    with tempfile.TemporaryDirectory(prefix="doorkey-bench-") as folder:
        # Bytecode for all, as in an installed package, even if the environment sets PYTHONDONTWRITEBYTECODE.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for _ in range(runs + 1):  # the first writes it
            for at, work in enumerate(works):
                code = TIMED.format(base=base, work=work)
                command = [sys.executable, "-c", code]
                done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
                seconds, *loaded[at] = done.stdout.split()
                found[at].append(float(seconds))
    return [(min(seconds[1:]), modules) for seconds, modules in zip(found, loaded, strict=True)]
