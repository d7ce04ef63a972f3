"""The file policy of `private_file` for an SQL store whose URL names an SQLite file."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_to_bytes

from sqlalchemy import Engine, event

from doorkey.stores.private_file import (
    Identity,
    check_companions,
    check_directory,
    check_opened,
    create,
    identity,
    resolved,
)
from doorkey.stores.sqlite_file import refuse_leftovers

__all__: list[str] = []

_FILE: Final = "doorkey_file"


def keep_private(engine: Engine) -> None:
    """Apply the policy to the file of each connection of `engine`, and turn on the overwriting of deleted content.

    A connection attempt raises `UsageError` for a file that other users can read or replace, before SQLite opens it.
    """

    def connecting(_: Any, record: Any, given: Any, options: dict[str, Any]) -> None:
        record.info.pop(_FILE, None)
        path, make = _file_of(given[0], uri=bool(options.get("uri")))
        if path is not None and path.parent.exists():  # otherwise SQLite reports the missing directory
            record.info[_FILE] = path, _checked(path, make=make)

    def connected(connection: Any, record: Any) -> None:
        path, expected = record.info.get(_FILE, (None, None))
        try:
            if path is not None:
                check_companions(path)  # before the first read opens them: as root, SQLite changes their owner
            cursor = connection.cursor()
            cursor.execute("PRAGMA secure_delete = ON")
            cursor.execute("PRAGMA journal_mode")
            log = cursor.fetchone()[0] == "wal"
            cursor.execute("PRAGMA schema_version")  # a read: SQLite has opened the log
            cursor.close()
            if path is not None and expected is not None:
                check_opened(path, expected, log=log)
        except BaseException:
            connection.close()
            raise

    event.listen(engine, "do_connect", connecting)
    event.listen(engine, "connect", connected)


def _checked(path: Path, *, make: bool) -> Identity | None:
    """Return the identity of the file at `path`, after creating it privately if it is missing and `make` is True.

    Raises `UsageError` for a directory, file or companion that the policy rejects.
    """
    check_directory(path)
    if identity(path) is None:
        refuse_leftovers(path)
        if make:
            with suppress(FileExistsError):  # another process was faster
                create(path)
    check_companions(path)
    return identity(path)


def _file_of(database: str, *, uri: bool) -> tuple[Path | None, bool]:
    """Return the file that SQLite opens for `database` (None: in memory), and whether SQLite creates a missing file.

    A URI is parsed as SQLite does (https://sqlite.org/uri.html), which differs from parsers of URLs: a newline is part
    of the name.
    """
    if not uri or not database.startswith("file:"):
        return (None, False) if database in ("", ":memory:") else (resolved(database), True)
    text = database.removeprefix("file:").partition("#")[0]
    if text.startswith("//"):
        text = text[text.find("/", 2) :]
    encoded, _, query = text.partition("?")
    mode = dict(parse_qsl(query, keep_blank_values=True)).get("mode", "rwc")
    name = os.fsdecode(unquote_to_bytes(encoded).partition(b"\0")[0])
    in_memory = name in ("", ":memory:") or mode == "memory"
    return (None, False) if in_memory else (resolved(name), mode == "rwc")
