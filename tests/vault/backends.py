"""The stores that processes share, as a test handles them: an address, and what can befall them."""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path


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
        with closing(sqlite3.connect(self.address, isolation_level=None, timeout=20)) as db:
            db.execute(statement)


@contextmanager
def sqlite_file(folder: Path) -> Generator[Backend]:
    yield SQLiteFile(folder / "tokens.db")
