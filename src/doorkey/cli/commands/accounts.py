"""`doorkey accounts`: list the accounts, and choose the default."""

from __future__ import annotations

import click

from doorkey.cli.parameters import ACCOUNT
from doorkey.cli.terminal import note, out

__all__: list[str] = []


@click.command(short_help="List the accounts, or choose the default.")
@click.option("--default", "default", type=ACCOUNT, help="Make this account the default.")
def accounts(default: str | None) -> None:
    """List the accounts: one line each, with the name, the issuer and the client.

    An asterisk marks the default account, which commands use unless another one is named.
    """
    from doorkey.cli.accounts import Accounts
    from doorkey.errors import printable
    from doorkey.wire.urls import shown_url

    with Accounts() as opened:
        if default is not None:
            opened.set_default(default)
        book = opened.book()
    if not book.accounts:
        note("There are no accounts yet: run 'doorkey login ISSUER'.")
    width = max(map(len, book.accounts), default=0)
    for name, account in book.accounts.items():
        client = printable(account.client_id)
        out(f"{'*' if name == book.default else ' '} {name:<{width}}  {shown_url(account.issuer)}  {client}")
