"""Small tools for running other programs: quietly, one at a time, and never left behind."""

import contextlib
import ctypes
import fcntl
import hashlib
import http.client
import itertools
import os
import secrets
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path

CLIENTS_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
LOWEST_PORT = 10_000
PORTS_OF_ONE = 100
_OWN_PORTS: dict[int, Iterator[int]] = {}
"""The ports of a process by its ID: a fork takes a hundred of its own."""
# Loaded here, and not in a child that is about to start: there, a lock of the loader may be another thread's for ever.
_LIBC: ctypes.CDLL | None = ctypes.CDLL(None) if sys.platform == "linux" else None


class Unavailable(Exception):
    """A server cannot run on this machine; the text says what is missing and how to get it, in one line."""


def run(*command: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run a command quietly and return what it printed; its output is shown only when it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        sys.stderr.write(done.stdout)
        lines = done.stdout.strip().splitlines() or ["it printed nothing"]
        raise Unavailable(f"{Path(command[0]).name} failed with {done.returncode}: {lines[-1][:300]}")
    return done.stdout


def digest(*parts: str | Path) -> str:
    """One hash over texts and the contents of files."""
    sha = hashlib.sha256()
    for part in parts:
        sha.update(part.read_bytes() if isinstance(part, Path) else part.encode())
        sha.update(b"\0")
    return sha.hexdigest()


@contextlib.contextmanager
def locked(path: Path) -> Generator[None, None, None]:
    """One at a time, also between processes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def die_with_parent() -> None:
    """In a child about to start: be stopped when the parent dies, even by SIGKILL (Linux only)."""
    if _LIBC is not None:
        with contextlib.suppress(OSError, AttributeError):
            _LIBC.prctl(1, 15)  # PR_SET_PDEATHSIG, SIGTERM


def port_of_ones_own() -> int:
    """Return a loopback port that is free now, and that no other process of tests nor any client gets.

    The system gives a client's connection a port of its own range: there, a server could not be started while the
    connection lasts, and for a minute after it. Below that range, each process has a hundred ports to itself. Two that
    took any free port could both take the same one, for servers that they start later.
    """
    lowest = int(CLIENTS_PORTS.read_text().split()[0]) if CLIENTS_PORTS.exists() else 0
    if lowest < LOWEST_PORT + PORTS_OF_ONE:
        return _free_port()
    ports = _OWN_PORTS.get(os.getpid())
    if ports is None:
        firsts = range(LOWEST_PORT, lowest - PORTS_OF_ONE, PORTS_OF_ONE)
        ports = _OWN_PORTS.setdefault(os.getpid(), hundred_ports(secrets.SystemRandom().sample(firsts, len(firsts))))
    return next(port for port in ports if not port_taken(port))


def made_ones_own(port: int) -> bool:
    """Take the hundred ports around `port` for this process, and return whether it is free and no other one has it."""
    with contextlib.suppress(Unavailable):
        if CLIENTS_PORTS.exists():
            hundred_ports([port // PORTS_OF_ONE * PORTS_OF_ONE])
        return not port_taken(port)
    return False


def hundred_ports(firsts: Iterable[int]) -> Iterator[int]:
    """Return a hundred ports again and again, from the first of `firsts` whose ports no process of tests has.

    An abstract Unix socket marks them as taken. The system closes it when this process and its forks have ended.
    """
    for first in firsts:
        with socket.socket(socket.AF_UNIX) as mark, contextlib.suppress(OSError):
            mark.bind(f"\0doorkey tests: ports from {first}")
            mark.detach()  # it stays open
            return itertools.cycle(range(first, first + PORTS_OF_ONE))
    raise Unavailable("the ports below those of clients belong to other processes of tests")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def nobodys_port() -> Generator[int, None, None]:
    """A loopback port that refuses connections during the block: it is bound, and no socket listens there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def port_taken(port: int) -> bool:
    """Whether something listens there already: a leftover server would answer for ours."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


NOT_READY = (OSError, http.client.HTTPException)  # refused, reset, timed out, an HTTP error


def fetch(url: str, ca: Path | None = None) -> bytes:
    """GET from a server of ours, past any proxy; raises one of NOT_READY."""
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if ca:
        handlers.append(urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(ca))))
    with urllib.request.build_opener(*handlers).open(url, timeout=30) as answer:
        body: bytes = answer.read()
        return body
