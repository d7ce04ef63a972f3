"""The file policy of every store on SQLite: no other user can read or replace its file or the files beside it.

Theory of operation. SQLite writes records to companion files too (`-wal`, `-shm`, `-journal`), and opens any
file that has their names. So a user who can create files in the directory can plant a companion and read the records
that SQLite writes to it. The policy therefore has three parts: other users cannot write to the directory; the file
and its companions are regular files of this user with mode 0600; and after SQLite has opened them, the open descriptors
are those files. The last part detects a file that was swapped between the check and the open.

An existing file is checked by `lstat` and by the descriptors that SQLite has. It is never opened here: closing our own
descriptor would drop the locks that SQLite holds in this process (POSIX locks belong to the process).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from doorkey.errors import StoreError, UsageError

if TYPE_CHECKING:  # POSIX only
    import grp
    import pwd

__all__: list[str] = []

WAL_FILES: Final = ("-wal", "-shm")
COMPANIONS: Final = (*WAL_FILES, "-journal")
_DESCRIPTORS: Final = "/dev/fd"

Identity = tuple[int, int]
"""Device and inode, which identify a file independently of its name."""


def resolved(path: str | os.PathLike[str]) -> Path:
    """Return the absolute `path` with the symbolic links of its directory resolved. A link at the file itself stays.

    So neither a new working directory nor a link that is changed later leads to another directory.
    """
    folder, name = os.path.split(os.path.abspath(path))  # noqa: PTH100  # resolve() follows a link at the file
    return Path(os.path.realpath(folder)) / name


def companion(path: Path, suffix: str) -> Path:
    """Return the path of the companion of `path` that has this `suffix`."""
    return path.with_name(path.name + suffix)


def check_directory(path: Path) -> None:
    """Raise `UsageError` unless only this user and root can create and replace files beside `path`.

    A directory such as /tmp is rejected: its sticky bit protects the file, but every user can plant a companion. The
    owners and groups of the directories above are trusted, but other users are not.
    """
    try:
        status = path.parent.stat()
        above = [folder.stat() for folder in path.parent.parents] if os.name == "posix" else []
    except OSError as error:
        raise UsageError(f"the directory of the store at {path} cannot be used ({error.strerror})") from error
    if os.name != "posix":
        return
    if status.st_uid not in (os.geteuid(), 0):
        raise UsageError(f"the directory of the store at {path} belongs to another user, who can replace the file")
    if status.st_mode & stat.S_IWOTH or (status.st_mode & stat.S_IWGRP and not _is_own_group(status.st_gid)):
        raise UsageError(
            f"other users can write to the directory of the store at {path}, and could plant a file there that SQLite "
            "writes tokens to: give the store a directory of its own (mkdir -m 700)"
        )
    if any(one.st_mode & stat.S_IWOTH and not one.st_mode & stat.S_ISVTX for one in above):
        raise UsageError(f"every user can replace a directory above the store at {path}: make it chmod o-w")


def identity(path: Path) -> Identity | None:
    """Return the identity of the file at `path`, or None if there is no file.

    Raises `UsageError` for a symbolic link, for anything but a regular file, and for a file that belongs to another
    user or that its group or others can access. Raises `StoreError` if the system does not report its status.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"the store at {path} cannot be reached ({error.strerror})") from error
    if stat.S_ISLNK(status.st_mode):
        raise UsageError(f"the store at {path} is a symbolic link: name the file itself")
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(f"the store at {path} is not a plain file")
    if os.name == "posix" and status.st_uid != os.geteuid():
        raise UsageError(f"the store at {path} belongs to another user: use a file of your own user")
    if os.name == "posix" and stat.S_IMODE(status.st_mode) & 0o077:
        raise UsageError(f"the store at {path} is open to others, who may have read it: make it chmod 600")
    return status.st_dev, status.st_ino


def check_companions(path: Path) -> None:
    """Raise the errors of `identity` for each companion of `path`, before SQLite opens it."""
    for suffix in COMPANIONS:
        identity(companion(path, suffix))


def check_opened(path: Path, expected: Identity, *, log: bool) -> None:
    """Raise unless the policy accepts the files that SQLite has open for `path`.

    path: the file, which SQLite has read from at least once.
    expected: the identity of the file before SQLite opened it.
    log: whether the database has a write-ahead log, so that SQLite has its companions open as well.

    Raises `UsageError` for a file that the policy rejects, and a retryable `StoreError` for a file that was replaced.
    """
    names = [path, *(companion(path, suffix) for suffix in WAL_FILES if log)]
    found = [identity(name) for name in names]
    check_companions(path)
    opened = _open_files()
    if found[0] != expected or None in found or (opened is not None and not opened.issuperset(found)):
        raise StoreError(f"the store at {path}, or a file beside it, was replaced while it was opened", retryable=True)


def create(path: Path) -> None:
    """Create an empty file at `path` that only this user can access.

    Raises `FileExistsError` if the name is taken, even by a link.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    os.close(os.open(path, flags, 0o600))


def _open_files() -> set[Identity | None] | None:
    """Return the identities of the files that this process has open, or None if the system does not list them."""
    try:
        numbers: Iterable[str] = os.listdir(_DESCRIPTORS)  # noqa: PTH208  # names are all that is needed
    except OSError:
        return None
    found: set[Identity | None] = set()
    for number in numbers:
        with suppress(OSError):  # the descriptor of the listing itself is closed by now
            status = os.fstat(int(number))
            found.add((status.st_dev, status.st_ino))
    return found


def _is_own_group(gid: int) -> bool:
    """Return whether the group is the private group that many systems create for each user, with no other member."""
    import grp
    import pwd

    try:
        return is_private_group(grp.getgrgid(gid), pwd.getpwuid(os.geteuid()))
    except KeyError:
        return False


def is_private_group(group: grp.struct_group, user: pwd.struct_passwd) -> bool:
    """Return whether `group` is the primary group of `user`, has the user's name, and lists no other member."""
    same = group.gr_name == user.pw_name and group.gr_gid == user.pw_gid
    return same and set(group.gr_mem) <= {user.pw_name}
