"""A database server that a test may stop and start again: `python -m tests.vault.keeper redis`.

Prints its address once it answers. A line on standard input stops it, the next one starts it with the same data, each
is answered by a line; the end of the input ends it.
"""

import json
import shutil
import sys

from tests.servers.databases import Database
from tests.servers.mariadb import MariaDB
from tests.servers.postgres import Postgres
from tests.servers.process import Unavailable
from tests.servers.redis import Redis

SERVERS: dict[str, type[Database]] = {"redis": Redis, "postgres": Postgres, "mariadb": MariaDB}


def say(**members: str) -> None:
    print(json.dumps(members), flush=True)


def main() -> None:
    server = SERVERS[sys.argv[1]]()
    try:
        server.install()
        server.prepare()
        while True:
            with server.serving() as handle:
                say(address=handle.origin)
                if not sys.stdin.readline():
                    return
            say(stopped="yes")
            if not sys.stdin.readline():
                return
    except Unavailable as error:
        say(unavailable=str(error))
    finally:
        shutil.rmtree(server.state, ignore_errors=True)


if __name__ == "__main__":
    main()
