"""Compares the transports of httpx-oauth2 and doorkey on httpx, in an environment that has httpx-oauth2."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from bench.added_time import SECONDS, rows
from bench.names import BARE, HTTPX_OAUTH2, OURS
from bench.renewals import row
from bench.row import Row
from bench.server import Served
from bench.timing import Comparison
from tests.servers.process import Unavailable
from tests.support.own_environment import REQUIREMENTS, python_with

ROOT = Path(__file__).resolve().parents[1]


def version() -> str:
    """Return the pinned version of httpx-oauth2."""
    lines = (REQUIREMENTS / "bench-httpx-oauth2.txt").read_text(encoding="utf-8").split()
    return next(line.partition("==")[2] for line in lines if line.startswith(f"{HTTPX_OAUTH2}=="))


def measure(served: Served, effort: float) -> list[Row]:
    seconds = str(SECONDS * effort)
    try:
        table = [
            *rows("httpx transport, loopback", Comparison(**worker("added", served.api, seconds))),
            *rows(
                "httpx transport, in memory",
                Comparison(**worker("added", "", seconds)),
                time={BARE: 1.15},
                cpu={HTTPX_OAUTH2: 2.0},
            ),
        ]
        found = worker("renewals")
    except Unavailable as error:
        return [Row(f"beside {HTTPX_OAUTH2}", "", f"left out: {error}")]
    waiting = {name: f"{one['waiting']} of 32" for name, one in found.items()}
    return [
        *table,
        row("32 threads, httpx transport", {name: f"{one['requests']:g}" for name, one in found.items()}),
        Row(
            "threads still waiting 3 s after the token request failed, httpx transport",
            waiting[OURS],
            f"{HTTPX_OAUTH2} {waiting[HTTPX_OAUTH2]}",
            "",
            "0",
            found[OURS]["waiting"] == 0,
        ),
    ]


def worker(*job: str) -> Any:
    """Return the result of bench.httpx_oauth2_worker. Raises `Unavailable` if its environment cannot be created."""
    done = subprocess.run(
        [python_with("bench-httpx-oauth2"), "-m", "bench.httpx_oauth2_worker", *job],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)
