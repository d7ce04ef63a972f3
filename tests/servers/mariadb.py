"""MariaDB, the real thing, from Debian's packages."""

import shutil
import socket
from collections.abc import Sequence
from pathlib import Path

from tests.servers.databases import Database


class MariaDB(Database):
    """A MariaDB on loopback with the database `doorkey`; its user's password is `pass-word`."""

    name = "mariadb"
    megabytes = 20
    package = "mariadb-server"
    user = "mysql"

    def program(self) -> Path | None:
        found = shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/libexec")
        return Path(found) if found else None

    @property
    def url(self) -> str:
        return f"mysql+pymysql://doorkey:pass-word@127.0.0.1:{self.port}/doorkey"

    def create(self) -> None:
        installer = shutil.which("mariadb-install-db") or "mariadb-install-db"
        where = ("--no-defaults", f"--datadir={self.state / 'data'}")
        self.finish(installer, *where, "--auth-root-authentication-method=normal", "--skip-test-db")
        self.statements()

    def statements(self) -> None:
        """Write what makes the database and its user."""
        statements = (
            "CREATE DATABASE IF NOT EXISTS doorkey CHARACTER SET utf8mb4;\n"
            "CREATE USER IF NOT EXISTS doorkey@'127.0.0.1' IDENTIFIED BY 'pass-word';\n"
            "GRANT ALL ON doorkey.* TO doorkey@'127.0.0.1';\n"
        )
        (self.state / "init.sql").write_text(statements)

    def command(self) -> Sequence[str | Path]:
        program = self.program()
        assert program is not None
        options = {
            "datadir": str(self.state / "data"),
            "socket": str(self.state / "mariadb.sock"),
            "pid-file": str(self.state / "mariadb.pid"),
            "bind-address": "127.0.0.1",
            "port": str(self.port),
            "skip-name-resolve": "1",
            "innodb-buffer-pool-size": "32M",
            "innodb-flush-log-at-trx-commit": "2",
            "init-file": str(self.state / "init.sql"),
            **self.settings,
        }
        return [program, "--no-defaults", *(f"--{name}={value}" for name, value in options.items())]

    def answers(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), timeout=3) as connection:
            return bool(connection.recv(1))
