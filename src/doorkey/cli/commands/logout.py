"""`doorkey logout`: delete the tokens of an account, after their revocation if that is requested."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING

import click

from doorkey.cli.errors import CommandError
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

    A client that 'doorkey login' registered for the account is also deleted at the server (RFC 7592), if that is
    possible. With --revoke, the account is kept if the server cannot be reached, so that you can try again.
    Without ACCOUNT, it uses the default account: see 'doorkey accounts'.
    """
    from doorkey.cli.accounts import Accounts
    from doorkey.cli.server_logout import delete_registration

    if account is not None and is_all:
        raise click.UsageError("--all logs out of every account: do not name one")
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
        left = accounts.book()
    note(f"Logged out of {found.name}.")
    delete_registration(found, left)
    if url is not None:
        note(f"To end the session in the browser too, open this URL:\n\n  {url}\n")


def _log_out_of_all(accounts: Accounts, *, revoke: bool) -> None:
    from doorkey.cli.accounts import Book
    from doorkey.cli.server_logout import delete_registration

    registered: list[Account] = []
    # an unreadable store is deleted too
    with nullcontext() if revoke else suppress(CommandError):
        registered = list(accounts.book().accounts.values())
    if revoke:
        for account in registered:
            _revoke(accounts, account)
    accounts.delete_everything()
    note("Logged out of every account.")
    for account in {(one.issuer, one.client_id): one for one in registered if one.registration_uri}.values():
        delete_registration(account, Book({}))


def _revoke(accounts: Accounts, account: Account) -> None:
    from doorkey.cli.server_logout import revoke

    with waiting("revoking the tokens"):
        revoked = revoke(account, accounts.entry(account))
    if not revoked:
        note(f"The server of {account.name} offers no revocation (RFC 7009): its tokens are only deleted here.")


def _logout_page(account: Account) -> str | None:
    from doorkey.cli.server_logout import logout_page

    with waiting("asking the server for its logout page"):
        url = logout_page(account)
    if url is None:
        note(f"The server of {account.name} has no logout page (OpenID Connect RP-Initiated Logout).")
    return url
