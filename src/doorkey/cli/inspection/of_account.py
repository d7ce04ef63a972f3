"""The token that `doorkey inspect` inspects: the stored token of an account, or a token from the user."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from doorkey.cli.errors import CommandError, ExitStatus
from doorkey.cli.parameters import MAX_NAME
from doorkey.cli.terminal import note

if TYPE_CHECKING:
    from doorkey.cli.accounts import Account
    from doorkey.values import Secret

__all__: list[str] = []

_MOST: Final = 10 * 1024 * 1024
_PROMPT: Final = "Paste the token, then press Enter and Ctrl-D:"


def account_named(text: str | None, name: str | None) -> Account | None:
    """Return the account whose token is inspected, or whose issuer and client are used; None if there is no account.

    text: the argument of the command: the name of an account, or a token. A token is longer than any name.
    name: the value of `--account`.

    Raises `CommandError` if there is no account `name`, or the store of accounts fails.
    """
    from doorkey.cli.accounts import Accounts

    if name is None and (text in (None, "-") or len(text or "") > MAX_NAME):
        return None
    with Accounts() as accounts:
        return accounts.book().accounts.get(text or "") if name is None else accounts.find(name)


def token_of(account: Account, kind: str | None) -> str:
    """Return the stored token of an account. No request is sent, so the token may have expired.

    kind: `id` for the ID token, otherwise the access token.

    Raises `CommandError` if the account has no such token.
    """
    from doorkey.cli.accounts import Accounts

    with Accounts() as accounts:
        entry = accounts.entry(account)
    token: Secret | None = None
    if entry is not None:
        token = entry.token.id_token if kind == "id" else entry.token.access_token
    if token is None:
        what = "ID token: log in again with --scope 'openid …'" if kind == "id" else "token: log in again"
        raise CommandError(f"the account {account.name!r} has no {what}", ExitStatus.NOT_LOGGED_IN)
    return token.reveal()


def given_token(text: str | None) -> str | bytes:
    """Return the token from the argument `text`, or from stdin if it is None or `-`."""
    if text is not None and text != "-":
        return text
    if not sys.stdin.isatty():
        return sys.stdin.buffer.read(_MOST + 1)
    if os.name == "posix":
        return _typed(sys.stdin.fileno())
    note(_PROMPT)
    return sys.stdin.buffer.read(_MOST + 1)


def _typed(terminal: int) -> bytes:
    """Return the text that the user types or pastes before Ctrl-D, without echo.

    Line editing of the terminal is turned off, because it cuts a line at 4095 bytes, and a token may be longer.
    """
    from doorkey.native.terminal_line import without_line_editing

    text, end = bytearray(), b"\x04"
    with without_line_editing(terminal):
        note(_PROMPT)
        while end not in text and len(text) <= _MOST and (piece := os.read(terminal, 65536)):
            text += piece
    return bytes(text.partition(end)[0])
