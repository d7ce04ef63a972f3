"""`doorkey token`: print a fresh token, and nothing else, to stdout."""

from __future__ import annotations

import click

from doorkey.cli.parameters import account_argument
from doorkey.cli.terminal import out

__all__: list[str] = []


@click.command()
@account_argument
@click.option("--header", "form", flag_value="header", help="Print the header: Authorization: Bearer …")
@click.option("--json", "form", flag_value="json", help="Print a JSON object with the token and its expiry.")
@click.option("--exec-credential", "form", flag_value="exec", help="Print what kubectl reads from a plugin.")
@click.option("--id", "is_id_token", is_flag=True, help="Print the ID token instead of the access token.")
def token(account: str | None, form: str | None, *, is_id_token: bool) -> None:
    """Print a fresh access token of an account.

    An expired token is renewed first. Commands that run at the same time share one renewal.
    Without ACCOUNT, it uses the default account: see 'doorkey accounts'.
    """
    import os

    from doorkey.cli.accounts import Accounts
    from doorkey.cli.tokens import as_json, current_token, exec_credential, with_id_token
    from doorkey.protocol.bearer import authorization_header

    if is_id_token and form in ("header", "json"):
        raise click.UsageError(f"--id and --{form} cannot be used together: --json has both tokens")
    with Accounts() as accounts:
        found = accounts.find(account)
        if is_id_token:
            _, secret, expires_at = with_id_token(accounts, found)
        else:
            current = current_token(accounts, found)
            secret, expires_at = current.access_token, current.expires_at
            if form == "header":
                return out(f"Authorization: {authorization_header(current)}")
            if form == "json":
                return out(as_json(current))
    return out(exec_credential(secret, expires_at, os.environ) if form == "exec" else secret.reveal())
