"""Reads key files of service accounts, up to a size limit. No error message shows the key."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import Final

from doorkey.errors import UsageError, printable
from doorkey.jose.keys import Key, import_key
from doorkey.protocol.service_account import parse_service_account
from doorkey.values import hides_locals

MAX_FILE: Final = 64 * 1024
"""The maximum size of a key file in bytes. A file with an RSA key of 4096 bits has about 4 KiB."""


@dataclass(frozen=True, slots=True)
class Account:
    """The service account that a key file describes."""

    client_email: str
    key: Key
    private_key_id: str | None
    token_uri: str | None


@hides_locals
def account_in(path: str | os.PathLike[str], *, needs_token_uri: bool) -> Account:
    """Return the service account of the key file at `path`, in the JSON format of Google.

    needs_token_uri: raise an error if the file has no `token_uri`.

    Raises `UsageError` for a file that cannot be read, is larger than 64 KiB or not a regular file, and for other
    content.
    """
    given: object = path
    if not isinstance(given, str | os.PathLike):
        raise UsageError(f"the path of a key file must be a str or os.PathLike, not {type(given).__name__}")
    named = printable(os.fspath(path), 200)
    try:
        members = parse_service_account(_read(path), needs_token_uri=needs_token_uri)
        return Account(members.client_email, import_key(members.private_key), members.private_key_id, members.token_uri)
    except UsageError as error:
        raise UsageError(f"the key file {named}: {error.description}") from None


def _read(path: str | os.PathLike[str]) -> bytes:
    # Without O_NONBLOCK, opening a named pipe would block until a writer opens it.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            data = file.read(MAX_FILE + 1) if regular else None
    except OSError as error:
        raise UsageError(f"it cannot be read ({error.strerror})") from None
    except (ValueError, TypeError):
        raise UsageError("its path contains a null byte, or is not a valid path") from None
    if data is None:
        raise UsageError("it is not a regular file")
    if len(data) > MAX_FILE:
        raise UsageError(f"it is larger than {MAX_FILE} bytes")
    return data
