"""What the servers have in common: installed once, started from a fresh state, waited for, stopped."""

import abc
import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tests.servers.handle import RealServer
from tests.servers.prerequisites import cache
from tests.servers.process import (
    NOT_READY,
    Unavailable,
    die_with_parent,
    fetch,
    locked,
    port_of_ones_own,
    port_taken,
)

A_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Launch:
    """How a server's process is started."""

    command: Sequence[str | Path]
    environment: Mapping[str, str]
    folder: Path


class Server(abc.ABC):
    """One kind of server, about to run on one port with these settings (environment for the server)."""

    name: ClassVar[str]
    megabytes: ClassVar[int]
    """About what its installation downloads, without Java, Node.js and Maven, which most machines have."""
    discovery: ClassVar[str] = "/.well-known/openid-configuration"
    patience: ClassVar[float] = 240.0

    def __init__(self, settings: Mapping[str, str] | None = None, port: int = 0, *, tls: bool = False) -> None:
        self.home = cache() / "servers" / self.name
        self.settings = dict(settings or {})
        self.port = port or port_of_ones_own()
        self.tls = tls
        self.origin = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.state = self.home / f"run-{self.port}"
        self.keys = self.home / "keys"
        self.log = self.state / "log.txt"
        self.ca: Path | None = None

    @abc.abstractmethod
    def fingerprint(self) -> str:
        """Changes when what is installed has to be installed again."""

    @abc.abstractmethod
    def install(self) -> None:
        """Install into `home`. An earlier installation there may be incomplete."""

    @abc.abstractmethod
    def prepare(self) -> Launch:
        """Make the state of this run, in an empty `state` folder."""

    def adjust(self) -> None:  # noqa: B027 - most servers have nothing to adjust
        """Once it answers: settings that need the running server."""

    def ensure_installed(self) -> bool:
        """Install if needed, one process at a time; whether anything had to be done. Raises Unavailable."""
        marker = self.home / "installed"
        with locked(self.home / "lock"):
            if marker.exists() and marker.read_text() == self.fingerprint():
                return False
            marker.unlink(missing_ok=True)
            self.install()
            marker.write_text(self.fingerprint())
            return True

    @contextlib.contextmanager
    def running(self) -> Generator[RealServer, None, None]:
        """Start it, wait for it, and stop it at the end. Raises Unavailable with the end of its log."""
        if port_taken(self.port):
            raise Unavailable(f"port {self.port} is in use")
        self._sweep()
        shutil.rmtree(self.state, ignore_errors=True)
        self.state.mkdir(parents=True)
        with spawned(self.prepare(), self.log, self.settings) as child:
            self.wait_for(child)
            self.adjust()
            document = json.loads(fetch(self.origin + self.discovery, self.ca))
            yield RealServer(
                name=self.name,
                issuer=document["issuer"],
                origin=self.origin,
                discovery=self.origin + self.discovery,
                port=self.port,
                pid=child.pid,
                keys=self.keys,
                log=self.log,
                ca=self.ca,
            )
        for path in self.state.iterdir():  # the log stays, for the analysis of a failure
            if path != self.log:
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def wait_for(self, child: subprocess.Popen[bytes]) -> None:
        """Until it answers, or Unavailable."""
        limit = time.monotonic() + self.patience
        while True:
            with contextlib.suppress(*NOT_READY):
                fetch(self.origin + self.discovery, self.ca)
                return
            if child.poll() is not None or time.monotonic() > limit:
                tail = self.log.read_text(errors="replace").splitlines()[-20:]
                why = "gave no answer in time" if child.poll() is None else f"ended with {child.returncode}"
                raise Unavailable("\n".join([f"{why}; {self.log} ends:", *tail]))
            time.sleep(0.05)

    def _sweep(self) -> None:
        for old in self.home.glob("run-*"):
            with contextlib.suppress(OSError):  # another run may sweep at the same time
                if time.time() - old.stat().st_mtime > A_DAY:
                    shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def spawned(
    launch: Launch, log: Path, settings: Mapping[str, str] | None = None
) -> Generator[subprocess.Popen[bytes], None, None]:
    """A process that ends with the block, by its pid, and that does not outlive us."""
    with log.open("wb") as output:
        child = subprocess.Popen(
            [str(part) for part in launch.command],
            cwd=launch.folder,
            env={**os.environ, **launch.environment, **(settings or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - this process has one thread
        )
    try:
        yield child
    finally:
        end(child, signal.SIGTERM)


def end(child: subprocess.Popen[bytes], stop_by: signal.Signals) -> None:
    """End a process by a signal, or kill it if it does not end."""
    child.send_signal(stop_by)
    try:
        child.wait(15)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
