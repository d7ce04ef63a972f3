"""What Redis, PostgreSQL and MariaDB have in common: a program of the system's, its files in a temporary folder.

They do not run as root: where we are root, they run as the user that Debian made for them.
"""

import abc
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from tests.servers.base import Launch, Server, end
from tests.servers.handle import RealServer
from tests.servers.prerequisites import from_debian
from tests.servers.process import Unavailable, die_with_parent


class Database(Server):
    """A database server on a port of its own. `url` is what a client of the tests is given."""

    package: ClassVar[str]
    user: ClassVar[str]
    stop_by: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, settings: Mapping[str, str] | None = None, port: int = 0, *, tls: bool = False) -> None:
        super().__init__(settings, port, tls=tls)
        self.state = Path(tempfile.gettempdir()) / f"doorkey-{self.name}-{os.getpid()}-{self.port}"
        self.log = self.state / "log.txt"

    @abc.abstractmethod
    def program(self) -> Path | None:
        """The server's program, or None when it is not installed."""

    @property
    @abc.abstractmethod
    def url(self) -> str:
        """Where it is."""

    @abc.abstractmethod
    def create(self) -> None:
        """Fill the empty `state` folder, which is its user's."""

    @abc.abstractmethod
    def command(self) -> Sequence[str | Path]:
        """The server, in the foreground."""

    @abc.abstractmethod
    def answers(self) -> bool:
        """Whether it takes commands; may raise OSError while it does not."""

    def fingerprint(self) -> str:
        """Where the program is: installed is what is there."""
        return str(self.program())

    def install(self) -> None:
        """From Debian's packages where we may."""
        if self.program() is None:
            from_debian(self.package)
        if self.program() is None:
            raise Unavailable(f"needs {self.name}: apt-get install {self.package} (or your system's package)")

    def prepare(self) -> Launch:
        """A fresh folder with an empty database."""
        shutil.rmtree(self.state, ignore_errors=True)
        self.state.mkdir(mode=0o700)
        if identity := self._identity():
            os.chown(self.state, identity.pw_uid, identity.pw_gid)
        self.create()
        return Launch(self.command(), {}, self.state)

    @contextlib.contextmanager
    def running(self) -> Generator[RealServer, None, None]:
        """A fresh one, for as long as the block."""
        try:
            self.prepare()
            with self.serving() as handle:
                yield handle
        finally:
            self.remove()

    def remove(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self.state, ignore_errors=True)

    @contextlib.contextmanager
    def serving(self) -> Generator[RealServer, None, None]:
        """What was prepared, for as long as the block; again and again with the same data."""
        with self.log.open("ab") as output:
            child = self.as_user(self.command(), output.fileno())
        try:
            self._wait(child)
            yield RealServer(
                name=self.name,
                issuer=self.url,
                origin=self.url,
                discovery=self.url,
                port=self.port,
                pid=child.pid,
                keys=self.keys,
                log=self.log,
            )
        finally:
            end(child, self.stop_by)

    def as_user(self, command: Sequence[str | Path], output: int) -> subprocess.Popen[bytes]:
        """Start a program as the user that may run it."""
        identity = self._identity()
        return subprocess.Popen(
            [str(part) for part in command],
            cwd=self.state,
            # A MariaDB that starts removes the temporary tables of every other one that has its temporary folder.
            env={**os.environ, "HOME": str(self.state), "TMPDIR": str(self.state), "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=identity.pw_uid if identity else None,
            group=identity.pw_gid if identity else None,
            extra_groups=[] if identity else None,
            preexec_fn=die_with_parent,  # noqa: PLW1509  # this process has one thread that starts programs
        )

    def finish(self, *command: str | Path) -> None:
        """Run a program to its end as that user. Raises Unavailable with the end of what it printed."""
        with self.log.open("ab") as output:
            code = self.as_user(command, output.fileno()).wait(self.patience)
        if code:
            raise Unavailable(self._tail(f"{Path(command[0]).name} failed with {code}"))

    def _identity(self) -> pwd.struct_passwd | None:
        return pwd.getpwnam(self.user) if os.geteuid() == 0 else None

    def _wait(self, child: subprocess.Popen[bytes]) -> None:
        limit = time.monotonic() + self.patience
        while True:
            with contextlib.suppress(OSError):
                if self.answers():
                    return
            if child.poll() is not None or time.monotonic() > limit:
                why = "gave no answer in time" if child.poll() is None else f"ended with {child.returncode}"
                raise Unavailable(self._tail(why))
            time.sleep(0.02)

    def _tail(self, why: str) -> str:
        return "\n".join([f"{why}; {self.log} ends:", *self.log.read_text(errors="replace").splitlines()[-60:]])
