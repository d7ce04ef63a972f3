"""PostgreSQL, the real thing, from Debian's packages."""

import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.servers.databases import Database


class Postgres(Database):
    """A PostgreSQL on loopback with the database `doorkey`, whose owner needs no password."""

    name = "postgres"
    megabytes = 50
    package = "postgresql"
    user = "postgres"
    stop_by = signal.SIGINT  # SIGTERM would wait until every client has left

    def program(self) -> Path | None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
        if found:
            return found[-1]
        on_path = shutil.which("postgres")
        return Path(on_path).resolve() if on_path else None

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://doorkey@127.0.0.1:{self.port}/postgres"

    def create(self) -> None:
        initdb = self._beside("initdb")
        options = ("--username=doorkey", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        self.finish(initdb, "--pgdata", self.state / "data", *options)

    def command(self) -> Sequence[str | Path]:
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "fsync": "off",  # the machine does not fail in our tests
            **self.settings,
        }
        set_ = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return [self._beside("postgres"), "-D", self.state / "data", *set_]

    def answers(self) -> bool:
        ask = [str(self._beside("pg_isready")), "-q", "-h", "127.0.0.1", "-p", str(self.port), "-d", "postgres"]
        return subprocess.run(ask, check=False, stdin=subprocess.DEVNULL).returncode == 0

    def _beside(self, name: str) -> Path:
        program = self.program()
        assert program is not None
        return program.with_name(name)
