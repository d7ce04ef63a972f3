"""The store of the sessions from a URL. A database library is imported only for a URL that needs it."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from doorkey.arguments import text
from doorkey.errors import UsageError
from doorkey.values import hides_locals

DEFAULT: Final = "sqlite:///doorkey-sessions.sqlite3"
"""A file in the working directory."""
MEMORY: Final = "memory:"

_REDIS: Final = frozenset({"redis", "rediss", "unix"})


@hides_locals
def store_at(url: str, *, awaited: bool) -> Any:
    """Return the synchronous or asynchronous store at `url`.

    ``memory:`` is a store in this process, ``sqlite:///PATH`` a file, and ``redis://…`` Redis or Valkey. Everything
    else is a database URL of SQLAlchemy, such as ``postgresql+psycopg://…``. Raises `UsageError`.
    """
    from doorkey import stores

    if text(url, "sessions") == MEMORY:
        return stores.AsyncMemoryStore() if awaited else stores.MemoryStore()
    parts = urlsplit(url)
    if not parts.scheme or "://" not in url:
        raise UsageError(
            "sessions= must be a store or its URL: memory:, sqlite:///PATH, redis://HOST, or a database URL of "
            "SQLAlchemy such as postgresql+psycopg://HOST/NAME"
        )
    if parts.scheme == "sqlite" and not parts.netloc:
        path = parts.path[1:]
        return stores.AsyncSQLiteStore(path) if awaited else stores.SQLiteStore(path)
    if parts.scheme in _REDIS:
        return stores.AsyncRedisStore(url) if awaited else stores.RedisStore(url)
    return stores.AsyncSQLStore(url) if awaited else stores.SQLStore(url)
