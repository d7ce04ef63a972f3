"""A database server of a test's own, which the test may stop, or change the settings of."""

from collections.abc import Generator
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
