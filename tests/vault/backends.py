"""The stores that processes share, as a test handles them: an address, and the faults that a test can cause."""

import json
import sqlite3
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from doorkey.stores import SQLStore
from tests.vault.worker import LONG

ROOT = Path(__file__).resolve().parents[2]
SERVERS = ("redis", "postgres", "mariadb")


class Backend(ABC):
    """A store that is running."""

    kind: str
    address: str

    @abstractmethod
    def expire_leases(self) -> None:
        """Let every lease run out, as time would."""

    @abstractmethod
    def flush(self) -> None:
        """Lose everything."""


class SQLiteFile(Backend):
    kind = "sqlite"

    def __init__(self, path: Path) -> None:
        self.address = str(path)

    def expire_leases(self) -> None:
        self._execute("UPDATE record SET leased_until = 0")

    def flush(self) -> None:
        self._execute("DELETE FROM record")

    def _execute(self, statement: str) -> None:
        with closing(sqlite3.connect(self.address, isolation_level=None, timeout=LONG)) as db:
            db.execute(statement)


class Kept(Backend):
    """A server that a keeper runs in a process of its own."""

    def __init__(self) -> None:
        self._keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.vault.keeper", self.kind],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._keeper.stdin is not None
        assert self._keeper.stdout is not None
        self._in, self._out = self._keeper.stdin, self._keeper.stdout
        told = json.loads(self._out.readline())
        if "unavailable" in told:
            self.end()
            pytest.skip(f"{self.kind} left out: {told['unavailable']}")
        self.address = told["address"]

    def stop(self) -> None:
        """Stop it; it keeps its data."""
        assert self._said() == {"stopped": "yes"}

    def start(self) -> None:
        """Start it again."""
        assert self._said() == {"address": self.address}

    def end(self) -> None:
        self._in.close()
        self._out.close()
        self._keeper.wait(60)

    def _said(self) -> Any:
        self._in.write("next\n")
        self._in.flush()
        return json.loads(self._out.readline())


class RedisServer(Kept):
    kind = "redis"

    def expire_leases(self) -> None:
        with self._client() as client:
            for name in client.keys("doorkey:*:lease"):
                client.delete(name)

    def flush(self) -> None:
        with self._client() as client:
            client.flushall()

    def _client(self) -> Any:
        from doorkey.stores import RedisStore

        return RedisStore(self.address, timeout=LONG)._client


class SQLServer(Kept):
    def __init__(self) -> None:
        super().__init__()
        with closing(SQLStore(self.address, timeout=LONG)) as store:
            store.create_table()

    def expire_leases(self) -> None:
        self._execute("UPDATE doorkey_tokens SET leased_until = 0")

    def flush(self) -> None:
        self._execute("DELETE FROM doorkey_tokens")

    def _execute(self, statement: str) -> None:
        import sqlalchemy

        engine = sqlalchemy.create_engine(self.address)
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text(statement))
        engine.dispose()


class PostgresServer(SQLServer):
    kind = "postgres"


class MariaDBServer(SQLServer):
    kind = "mariadb"


KEPT: dict[str, type[Kept]] = {kept.kind: kept for kept in (RedisServer, PostgresServer, MariaDBServer)}


@contextmanager
def running(kind: str, folder: Path) -> Generator[Backend]:
    """The store of that kind; the test is skipped where its server cannot run."""
    if kind == "sqlite":
        yield SQLiteFile(folder / "tokens.db")
        return
    server = KEPT[kind]()
    try:
        yield server
    finally:
        server.end()
