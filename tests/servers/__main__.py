"""Install the real servers, or run one in front.

    python -m tests.servers install [NAME ...]
    python -m tests.servers run NAME [--port N] [--set A=B ...] [--tls] [--until PID]
    python -m tests.servers stop FOLDER

`install` installs all by default, at the same time, and ends with 1 if one of them cannot be installed here.
`run` prints one JSON line once the server answers and stops it on SIGTERM or SIGINT, or when the process of
`--until` is gone. A server that cannot run prints `{"unavailable": why}` and ends with 3. `stop` stops those that runs
of pytest have started and noted in FOLDER.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from tests.servers.base import Server
from tests.servers.django_oauth import DjangoOAuth
from tests.servers.keycloak import Keycloak
from tests.servers.mariadb import MariaDB
from tests.servers.mysql import MySQL
from tests.servers.oidc_provider import OidcProvider
from tests.servers.postgres import Postgres
from tests.servers.prerequisites import cache
from tests.servers.process import Unavailable
from tests.servers.programs import PROGRAMS, Program
from tests.servers.redis import Redis, Redis6, Valkey
from tests.servers.running import SharedServers

ALL: tuple[type[Server], ...] = (Keycloak, OidcProvider, DjangoOAuth, Redis, Redis6, Valkey, Postgres, MariaDB, MySQL)
KINDS: dict[str, type[Server]] = {kind.name: kind for kind in ALL}
INSTALLED: dict[str, type[Server] | Program] = {**KINDS, **PROGRAMS}
"""What `install` knows."""
UNAVAILABLE = 3


class Stopped(BaseException):
    """A signal told us to end; raised wherever we are, so that nothing is left running."""


def install(names: list[str]) -> int:
    """Install each server in a process of its own, so that a slow download delays no other.

    What will be downloaded is printed first, and each server that cannot be installed here.
    """
    markers = {name: cache() / "servers" / name / "installed" for name in names}
    markers |= {name: PROGRAMS[name].path() or cache() / "no program" for name in names if name in PROGRAMS}
    if missing := [INSTALLED[name] for name in names if not markers[name].exists()]:
        sizes = ", ".join(f"{kind.name} {kind.megabytes} MB" for kind in missing)
        total = sum(kind.megabytes for kind in missing)
        print(f"servers: downloading at most about {total} MB ({sizes}) to {cache()}", file=sys.stderr, flush=True)
    again = [sys.executable, "-m", "tests.servers", "install-one"]
    children = [subprocess.Popen([*again, name], stdin=subprocess.DEVNULL) for name in names]
    codes = [child.wait() for child in children]
    return int(any(codes))


def install_one(name: str) -> int:
    """Install one server in this process."""
    begun = time.monotonic()
    try:
        kind = INSTALLED[name]
        if (kind if isinstance(kind, Program) else kind()).ensure_installed():
            print(f"servers: {name} installed in {time.monotonic() - begun:.0f} s", flush=True)
    except Unavailable as error:
        print(f"servers: {name} is not available: {error}", file=sys.stderr, flush=True)
        return UNAVAILABLE
    return 0


def run(server: Server, until: int | None) -> int:
    """Run the server until SIGTERM, SIGINT, its own end or that of the process `until`."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Stopped

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    try:
        server.ensure_installed()
        with server.running() as handle:
            print(handle.to_json(), flush=True)
            while until is None or _alive(until):
                if not _alive(handle.pid):
                    print(f"{server.name} died; see {server.log}", file=sys.stderr)
                    return 1
                time.sleep(0.2)
    except Unavailable as error:
        print(json.dumps({"unavailable": str(error)}), flush=True)
        return UNAVAILABLE
    except Stopped:
        pass
    return 0


def _alive(pid: int) -> bool:
    try:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:  # a child of ours that ended
            return False
    except ChildProcessError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="command", required=True)
    installing = commands.add_parser("install")
    installing.add_argument("names", nargs="*", choices=[*INSTALLED, []])
    commands.add_parser("install-one").add_argument("name", choices=INSTALLED)
    running = commands.add_parser("run")
    running.add_argument("name", choices=KINDS)
    running.add_argument("--port", type=int, default=0)
    running.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    running.add_argument("--tls", action="store_true", help="oidc-provider only")
    running.add_argument("--until", type=int, metavar="PID")
    commands.add_parser("stop").add_argument("folder", type=Path)
    options = parser.parse_args()
    if options.command == "install":
        return install(options.names or list(INSTALLED))
    if options.command == "install-one":
        return install_one(options.name)
    if options.command == "stop":
        SharedServers(options.folder, os.getpid()).stop()
        return 0
    settings = dict(item.split("=", 1) for item in options.set)
    return run(KINDS[options.name](settings, options.port, tls=options.tls), options.until)


if __name__ == "__main__":
    sys.exit(main())
