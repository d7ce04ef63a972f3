"""Starting the real servers from tests: each in a process of its own, stopped by its pid."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

from tests.servers.handle import RealServer
from tests.servers.process import Unavailable, locked

ROOT = Path(__file__).resolve().parents[2]


def _start(name: str, options: list[str], until: int) -> tuple[int, RealServer]:
    """Start one and wait until it answers; its keeper's pid, and where it is. Raises Unavailable."""
    keeper = subprocess.Popen(
        [sys.executable, "-m", "tests.servers", "run", name, "--until", str(until), *options],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for pytest, which then stops the servers in its own time
    )
    assert keeper.stdout is not None
    with keeper.stdout:
        line = keeper.stdout.readline()
    if not line:
        raise Unavailable(f"could not be started (its keeper ended with {keeper.wait()})")
    told = json.loads(line)
    if "unavailable" in told:
        keeper.wait()
        raise Unavailable(told["unavailable"])
    # The keeper is left to `_stop`, by pid and maybe from another process: it is not this object's to reap.
    keeper.returncode = 0
    return keeper.pid, RealServer.from_json(line)


def _stop(keeper: int, port: int) -> None:
    """Stop a keeper, which stops its server; returns once nothing listens on the port."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(keeper, signal.SIGTERM)
    limit = time.monotonic() + 30
    while time.monotonic() < limit and _listening(port):
        time.sleep(0.05)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(keeper, 0)


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def started(name: str, *, tls: bool = False, **settings: str) -> Generator[RealServer, None, None]:
    """A server with settings of its own, for as long as the block: `started("keycloak", TTL_ACCESS="5")`."""
    options = ["--tls"] if tls else []
    options += [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    keeper, server = _start(name, options, os.getpid())
    try:
        yield server
    finally:
        _stop(keeper, server.port)


class SharedServers:
    """One of each for a whole run: started when a worker first asks for it, stopped at the end.

    What is known of them is in files of one folder, which all workers of pytest-xdist share; the process that
    `owner` names stops them, and they stop by themselves when it is gone.
    """

    def __init__(self, folder: Path, owner: int) -> None:
        self.folder = folder
        self.owner = owner

    def get(self, name: str) -> RealServer:
        """The running server. Raises Unavailable, each time, when it could not be started the first time."""
        known = self.folder / f"{name}.json"
        with locked(self.folder / f"{name}.lock"):
            if not known.exists():
                try:
                    keeper, server = _start(name, [], self.owner)
                    known.write_text(f"{keeper}\n{server.to_json()}\n")
                except Unavailable as error:
                    known.write_text(f"unavailable\n{error}\n")
            first, rest = known.read_text().split("\n", 1)
        if first == "unavailable":
            raise Unavailable(rest.strip())
        return RealServer.from_json(rest)

    def unavailable(self) -> dict[str, str]:
        """Which of those asked for could not be started, and why."""
        told = {path.stem: path.read_text() for path in sorted(self.folder.glob("*.json"))}
        return {name: text.split("\n", 1)[1].strip() for name, text in told.items() if text.startswith("unavailable")}

    def stop(self) -> None:
        """Stop all of them."""
        for path in self.folder.glob("*.json"):
            first, rest = path.read_text().split("\n", 1)
            if first != "unavailable":
                _stop(int(first), RealServer.from_json(rest).port)
                path.unlink()
