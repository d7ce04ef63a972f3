"""The file to which a command writes its result. It is replaced atomically, by a complete file."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

__all__: list[str] = []


@contextmanager
def output_file(name: str) -> Generator[IO[bytes]]:
    """Yield a temporary file for the output. At the end of the block, it replaces the file at `name`.

    After an error or Ctrl-C, the file at `name` is unchanged and the temporary file is deleted. A symbolic link is
    followed to its target. Output to a device or a pipe is written directly.

    Raises `OSError` with `name` as the file name.
    """
    try:
        path = Path(os.path.realpath(name))
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                yield file
        else:
            with _replacing(path) as file:
                yield file
    except OSError as error:
        raise OSError(error.errno, error.strerror, name) from None


@contextmanager
def _replacing(path: Path) -> Generator[IO[bytes]]:
    fresh = path.with_name(f".doorkey-{secrets.token_hex(8)}")
    try:
        with fresh.open("xb") as file:
            if path.exists():
                fresh.chmod(stat.S_IMODE(path.stat().st_mode))
            yield file
        fresh.replace(path)
    finally:
        with suppress(FileNotFoundError):
            fresh.unlink()
