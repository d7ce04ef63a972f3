"""`doorkey logout`: delete the tokens of an account, after their revocation if that is requested."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from doorkey.cli.parameters import account_argument
from doorkey.cli.terminal import note, waiting

if TYPE_CHECKING:
    from doorkey.cli.accounts import Account, Accounts

__all__: list[str] = []


@click.command()
@account_argument
@click.option("--revoke", is_flag=True, help="Revoke the tokens at the server first (RFC 7009).")
@click.option("--end-session", is_flag=True, help="Also print the URL of the server's logout page.")
@click.option("--all", "is_all", is_flag=True, help="Every account; also deletes the store and its key.")
def logout(account: str | None, *, revoke: bool, end_session: bool, is_all: bool) -> None:
    """Delete an account and its tokens from this machine.

    With --revoke, the account is kept if the server cannot be reached, so that you can try again.
    """
    from doorkey.cli.accounts import Accounts

    if account is not None and is_all:
        raise click.UsageError("--all logs out of every account: name none")
    if end_session and is_all:
        raise click.UsageError("--end-session is for one account")
    with Accounts() as accounts:
        if is_all:
            _log_out_of_all(accounts, revoke=revoke)
            return
        found = accounts.find(account)
        if revoke:
            _revoke(accounts, found)
        url = _logout_page(found) if end_session else None
        accounts.remove(found)
    note(f"Logged out of {found.name}.")
    if url is not None:
        note(f"To end the session in the browser too, open this URL:\n\n  {url}\n")


def _log_out_of_all(accounts: Accounts, *, revoke: bool) -> None:
    if revoke:
        for account in accounts.book().accounts.values():
            _revoke(accounts, account)
    accounts.delete_everything()
    note("Logged out of every account.")


def _revoke(accounts: Accounts, account: Account) -> None:
    from doorkey.cli.ending import revoke

    with waiting("revoking the tokens"):
        revoked = revoke(account, accounts.entry(account))
    if not revoked:
        note(f"The server of {account.name} offers no revocation (RFC 7009): its tokens are only deleted here.")


def _logout_page(account: Account) -> str | None:
    from doorkey.cli.ending import logout_page

    with waiting("asking the server for its logout page"):
        url = logout_page(account)
    if url is None:
        note(f"The server of {account.name} has no logout page (OpenID Connect RP-Initiated Logout).")
    return url
