"""The file that a command writes its result to: it is there as a whole, or not at all."""

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
    """Give a file to write to, which takes the place of the one at `name` at the end of the block.

    After an error or Ctrl-C, the file at `name` is as it was before, and nothing is left beside it. A link leads to its
    target. A device or a pipe is written to at once.

    Raises `OSError` with that name.
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
