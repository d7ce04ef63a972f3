"""The token that `doorkey inspect` is to inspect: that of an account, or the one that the user gives."""

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
    """Return the account whose token is to be inspected, or whose issuer and client are to be used.

    text: the argument: the name of an account, or a token, which is longer than any name.
    name: of `--account`.

    Raises `CommandError` if there is no account `name`, or the store of accounts fails.
    """
    from doorkey.cli.accounts import Accounts

    if name is None and (text in (None, "-") or len(text or "") > MAX_NAME):
        return None
    with Accounts() as accounts:
        return accounts.book().accounts.get(text or "") if name is None else accounts.find(name)


def token_of(account: Account, kind: str | None) -> str:
    """Return the token of an account as the store has it: no request is sent, so it may have expired.

    kind: `id` for its ID token.

    Raises `CommandError` if there is none.
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
    """Return the token that the user gives: the argument `text`, or stdin."""
    if text is not None and text != "-":
        return text
    if not sys.stdin.isatty():
        return sys.stdin.buffer.read(_MOST + 1)
    if os.name == "posix":
        return _typed(sys.stdin.fileno())
    note(_PROMPT)
    return sys.stdin.buffer.read(_MOST + 1)


def _typed(terminal: int) -> bytes:
    """Return the text that is typed or pasted until Ctrl-D. It is not shown.

    A terminal that edits lines passes on 4095 bytes of one, and a token may be longer.
    """
    from doorkey.native.terminal_line import without_line_editing

    text, end = bytearray(), b"\x04"
    with without_line_editing(terminal):
        note(_PROMPT)
        while end not in text and len(text) <= _MOST and (piece := os.read(terminal, 65536)):
            text += piece
    return bytes(text.partition(end)[0])
