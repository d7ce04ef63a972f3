"""Redis, the real thing, from Debian's packages: every write is on the disk before it is answered."""

import abc
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path

from tests.servers.databases import Database
from tests.servers.prerequisites import redis6, valkey


class Redis(Database):
    """A Redis (or a Valkey, where that is what the machine has) on loopback."""

    name = "redis"
    megabytes = 2
    package = "redis-server"
    user = "redis"

    def program(self) -> Path | None:
        found = shutil.which("redis-server") or shutil.which("valkey-server")
        return Path(found) if found else None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def create(self) -> None:
        """Nothing: Redis makes its files itself."""

    def command(self) -> Sequence[str | Path]:
        program = self.program()
        assert program is not None
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self.state),
            "save": "",
            "appendonly": "yes",
            "appendfsync": "always",
            **self.settings,
        }
        return [program, *(part for name, value in options.items() for part in (f"--{name}", value))]

    def answers(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), timeout=3) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")


class Carried(Redis):
    """A server that is no package of the system. It runs from a copy in its folder."""

    user = "nobody"

    @abc.abstractmethod
    def original(self) -> Path:
        """The program, got at the first call. Raises Unavailable."""

    def program(self) -> Path | None:
        copy = self.state / "server"
        return copy if copy.exists() else self.original()

    def install(self) -> None:
        """Get it. Raises Unavailable."""
        self.original()

    def create(self) -> None:
        copy = self.state / "server"
        shutil.copy(self.original(), copy)
        copy.chmod(0o755)


class Redis6(Carried):
    """The oldest Redis that is promised."""

    name = "redis6"
    megabytes = 3

    def original(self) -> Path:
        return redis6()


class Valkey(Carried):
    """What goes on from where Redis was free."""

    name = "valkey"
    megabytes = 2

    def original(self) -> Path:
        return valkey()
