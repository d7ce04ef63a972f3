"""Worker processes that share the login of one user in an SQLite file."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from demo.place import CLIENT, SECRET, Place, token_endpoint
from demo.worker import READY, RENEWING, vault_at
from doorkey.integrations.requests_client import OAuth2Session

WORKERS = 4

LEASE = 20
"""The duration of a vault's lease in seconds, on the store's clock: the deadline of a token request (15), and five."""


@dataclass(frozen=True, slots=True)
class Result:
    """The statuses that the workers got, the number of refreshes, and the signal that ended the killed worker."""

    answers: list[int]
    refreshes: int
    signal: str


class Fleet:
    """Workers that have started, and wait for a job: to call the API."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "tokens.db"
        self._workers = [
            subprocess.Popen(
                [sys.executable, "-m", "demo.worker"],
                cwd=Path(__file__).resolve().parents[1],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(WORKERS)
        ]

    def call(self, place: Place) -> Result:
        """Log in, let the token expire, and let all workers call the API. Kill the first before its token request."""
        with OAuth2Session(CLIENT, SECRET, token_endpoint=token_endpoint(place.rotating)) as session:
            token = session.fetch_token(username="alice", password="wonderland")
        with vault_at(str(self._path), place.rotating) as vault:
            vault.save("alice", {**token, "expires_at": 1})
        place.let_tokens_expire()
        before = place.refreshes()
        job = {"path": str(self._path), "issuer": place.rotating, "api": place.echo}
        for worker in self._workers:
            assert _line(worker) == READY
        victim, *others = self._workers
        _order(victim, {**job, "stops_before_its_request": True})
        assert _line(victim) == RENEWING
        for worker in others:
            _order(worker, job)
        victim.kill()
        ended_by = signal.Signals(-victim.wait()).name
        self._end_the_lease()
        answers = [int(_line(worker)) for worker in others]
        return Result(answers, place.refreshes() - before, ended_by)

    def close(self) -> None:
        """Kill the remaining workers."""
        for worker in self._workers:
            with worker:
                worker.kill()

    def _end_the_lease(self) -> None:
        """End the lease of the killed worker now. It would expire by itself within `LEASE` seconds."""
        with closing(sqlite3.connect(self._path, isolation_level=None)) as db:
            db.execute("UPDATE record SET leased_until = 0")


@contextmanager
def fleet() -> Generator[Fleet, None, None]:
    """Start the workers, so that they are ready when their step begins, and kill them after the block."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder, closing(Fleet(Path(folder))) as started:
        yield started


def _order(worker: subprocess.Popen[str], job: dict[str, Any]) -> None:
    assert worker.stdin is not None
    worker.stdin.write(json.dumps(job) + "\n")
    worker.stdin.flush()


def _line(worker: subprocess.Popen[str]) -> str:
    assert worker.stdout is not None
    return worker.stdout.readline().strip()
