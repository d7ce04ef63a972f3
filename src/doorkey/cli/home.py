"""The directory in which the command line keeps its accounts: the user's own, mode 0700."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from doorkey.cli.errors import CommandError, ExitStatus
from doorkey.errors import RecordError, StoreError, UsageError

__all__: list[str] = []


def data_directory(environ: Mapping[str, str], platform: str) -> str:
    """Return the directory: `DOORKEY_HOME`, or `doorkey` in the platform's directory for application data.

    environ: the environment variables.
    platform: the value of `sys.platform`.

    A `~` at the start of the path stands for the home directory. A relative `XDG_DATA_HOME` is ignored, as its
    specification requires.
    """
    own = environ.get("DOORKEY_HOME")
    if own:
        return own
    if platform == "win32":
        return f"{environ.get('LOCALAPPDATA') or '~/AppData/Local'}/doorkey"
    if platform == "darwin":
        return "~/Library/Application Support/doorkey"
    data = environ.get("XDG_DATA_HOME", "")
    return f"{data if data.startswith('/') else '~/.local/share'}/doorkey"


def home() -> Path:
    """Return the directory of this user, which may not exist. Raises `CommandError` for a user without a home."""
    path = os.path.expanduser(data_directory(os.environ, sys.platform))  # noqa: PTH111  # it never raises
    if path.startswith("~"):  # otherwise it would be a directory named ~ in the working directory
        raise CommandError(
            "there is no home directory to keep accounts in: name a directory in the variable DOORKEY_HOME",
            ExitStatus.STORAGE,
        )
    return Path(path).absolute()


def make_home(path: Path) -> None:
    """Create the directory with mode 0700, and its missing parents, unless it exists. Raises `OSError`."""
    if not path.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def storage_errors() -> Generator[None]:
    """Convert errors about files and stores to a `CommandError` of one sentence with the status `STORAGE`."""
    try:
        yield
    except RecordError as error:
        raise CommandError(f"the store of tokens cannot be used: the {error}", ExitStatus.STORAGE) from error
    except (StoreError, UsageError) as error:
        raise CommandError(error.description, ExitStatus.STORAGE) from error
    except OSError as error:
        where = error.filename or "the store of tokens"
        raise CommandError(f"{where} cannot be used: {error.strerror}", ExitStatus.STORAGE) from error
