"""A database server of a test's own, which the test may stop, or change the settings of."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from tests.servers.databases import Database


@contextmanager
def own(server: Database) -> Generator[Database]:
    """A server of the test's own, not yet running."""
    server.install()
    server.prepare()
    try:
        yield server
    finally:
        server.remove()


def until(ready: Callable[[], bool], seconds: float = 60.0) -> None:
    """Return when the server tells that it is `ready`; fail after so many seconds."""
    limit = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < limit, "the server is not ready"
        time.sleep(0.02)
