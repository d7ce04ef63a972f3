"""The key that encrypts the store of tokens: in the keyring of the operating system, or in a file with mode 0600.

Theory of operation. `key.json` is created once and never changed. It states where the key is. So if the keyring does
not respond later, the command ends with an error, and does not conclude that there is no key and create another one.
The file is written under a temporary name and then linked to `key.json`. The link fails if another process was faster;
then the key of that process is used. The temporary name contains the ID of the key, and the temporary file is created
before the key is stored in the keyring. So if a command is interrupted, the next one finds its key in the keyring and
deletes it.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from doorkey.cli.errors import CommandError, ExitStatus
from doorkey.cli.home import storage_errors
from doorkey.cli.keyring_calls import NoKeyringError, delete_secret, keep_secret, read_secret
from doorkey.cli.terminal import note
from doorkey.stores.private_file import check_directory, create, identity
from doorkey.wire.strict_json import JSONProblem, parse_object

__all__: list[str] = []

FILE: Final = "key.json"
FORMAT: Final = 1
BYTES: Final = 32
MAX_FILE: Final = 4096
KEYRING: Final = "keyring"
_DELETE: Final = "'doorkey logout --all' deletes it and every account"
_UNFINISHED: Final = f".{FILE}."
"""The prefix of the temporary name of `key.json`. The ID of the key follows."""


@dataclass(frozen=True, slots=True)
class StoreKey:
    """The key: its ID, its bytes, and the place where it is stored, in words for the user."""

    name: str
    value: bytes = field(repr=False)
    place: str


def store_key(home: Path, *, may_make: bool) -> StoreKey | None:
    """Return the key of the store in the directory `home`.

    may_make: create a key if there is none. Otherwise return None.

    Raises `CommandError` for a key that is damaged, belongs to another user, was written by a newer version, or is in a
    keyring that does not respond. The file is left unchanged.
    """
    path = home / FILE
    with storage_errors():
        if identity(path) is None:
            return _made(path) if may_make else None
        check_directory(path)
        return _read(path)


def delete_key(home: Path) -> None:
    """Delete the key of the store in the directory `home`, also in the keyring if it responds. Raises `OSError`."""
    path = home / FILE
    try:
        members = parse_object(path.read_bytes()[:MAX_FILE])
    except (OSError, JSONProblem):
        members = {}
    name = members.get("id")
    if members.get("place") == KEYRING and isinstance(name, str):
        _delete_secret(name)
    path.unlink(missing_ok=True)
    _delete_unfinished(home, "")


def _read(path: Path) -> StoreKey:
    with path.open("rb") as file:
        data = file.read(MAX_FILE + 1)
    try:
        members = parse_object(data) if len(data) <= MAX_FILE else {}
    except JSONProblem:
        members = {}
    version, name = members.get("version"), members.get("id")
    if isinstance(version, int) and version > FORMAT:
        raise _unusable(path, "was written by a newer version of doorkey", "upgrade doorkey")
    if version != FORMAT or not isinstance(name, str) or not name.isalnum() or len(name) > 64:
        raise _unusable(path, "is damaged, or was not written by doorkey", _DELETE)
    if members.get("place") == KEYRING:
        return StoreKey(name, _from_keyring(name), "the keyring of the operating system")
    value = _decoded(members.get("key"))
    if value is None:
        raise _unusable(path, "is damaged", _DELETE)
    return StoreKey(name, value, str(path))


def _unusable(path: Path, problem: str, fix: str) -> CommandError:
    return CommandError(f"the file {path} {problem}; it was left as it is: {fix}", ExitStatus.STORAGE)


def _from_keyring(name: str) -> bytes:
    try:
        kept = read_secret(name)
    except NoKeyringError as error:
        raise CommandError(
            f"the key of the token store is in the keyring of the operating system, but {error}: unlock the keyring "
            "and run the command again",
            ExitStatus.STORAGE,
        ) from None
    value = _decoded(kept)
    if value is None:
        raise CommandError(
            "the keyring of the operating system no longer has the key of the token store: 'doorkey logout --all' "
            "deletes the store, so that you can log in again",
            ExitStatus.STORAGE,
        )
    return value


def _decoded(text: object) -> bytes | None:
    if not isinstance(text, str):
        return None
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return value if len(value) == BYTES else None


def _made(path: Path) -> StoreKey:
    check_directory(path)
    name, value = secrets.token_hex(8), secrets.token_bytes(BYTES)
    text = base64.b64encode(value).decode()
    members: dict[str, Any] = {"version": FORMAT, "id": name}
    reason = ""
    fresh = path.with_name(_UNFINISHED + name)
    create(fresh)
    try:
        keep_secret(name, text)
    except NoKeyringError as error:
        reason = str(error)
        members |= {"place": "file", "key": text}
    else:
        members |= {"place": KEYRING}
    try:
        was_created = _create(fresh, path, json.dumps(members).encode())
    except OSError:
        _delete_unfinished(path.parent, "")
        raise
    if was_created and reason:
        note(
            f"The keyring of the operating system is not used ({reason}). The key of the token store is in {path}, "
            "which only your user can read."
        )
    if not was_created and not reason:
        _delete_secret(name)
    key = _read(path)
    _delete_unfinished(path.parent, key.name)
    return key


def _create(fresh: Path, path: Path, data: bytes) -> bool:
    """Write `data` to the temporary file `fresh` and link it to `path`. Return False if another process was faster."""
    try:
        with fresh.open("r+b") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)
        except (FileExistsError, FileNotFoundError):
            raise
        except OSError:  # a file system without hard links: create the file first, so that no other file is replaced
            create(path)
            fresh.replace(path)
    except (FileExistsError, FileNotFoundError):  # the faster process may have deleted `fresh`
        return False
    return True


def _delete_unfinished(home: Path, used: str) -> None:
    """Delete the temporary files, and their keys in the keyring except `used`, the ID of the key in use."""
    for left in home.glob(f"{_UNFINISHED}*"):
        name = left.name.removeprefix(_UNFINISHED)
        if name != used and name.isalnum():
            _delete_secret(name)
        left.unlink(missing_ok=True)


def _delete_secret(name: str) -> None:
    with suppress(NoKeyringError):
        delete_secret(name)
