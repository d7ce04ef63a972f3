"""`doorkey status`: show the stored facts about an account, without a request to its server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import click

from doorkey.cli.errors import ExitStatus
from doorkey.cli.parameters import account_argument
from doorkey.cli.terminal import out
from doorkey.cli.times import relative
from doorkey.errors import printable

if TYPE_CHECKING:
    from doorkey.cli.accounts import Account
    from doorkey.vault.entry import Entry

__all__: list[str] = []

MAX_TEXT: Final = 4096
"""The maximum number of characters that are shown of a value."""


@click.command(short_help="Show an account, and when its token expires.")
@account_argument
@click.option("--json", "is_json", is_flag=True, help="Print a JSON object.")
def status(account: str | None, *, is_json: bool) -> int:
    """Show an account: its issuer, when its token expires, and whether it can be renewed.

    No request is sent. The exit status is 3 if the login has ended.
    Without ACCOUNT, it uses the default account: see 'doorkey accounts'.
    """
    from doorkey.cli.accounts import Accounts
    from doorkey.runtime.clock import wall_time

    with Accounts() as accounts:
        found = accounts.find(account)
        facts = _facts(found, accounts.entry(found), accounts.key_place, wall_time())
    if is_json:
        out(json.dumps({name.replace(" ", "_"): value for name, value in facts.items()}, indent=2))
    else:
        for name, value in facts.items():
            out(f"{name:<13} {_words(value)}")
    return ExitStatus.OK if facts["logged in"] else ExitStatus.NOT_LOGGED_IN


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return printable(str(value), MAX_TEXT)


def _expiry(expires_at: float | None, now: float) -> str:
    return "at a time that the server did not state" if expires_at is None else relative(expires_at, now)


def _facts(account: Account, entry: Entry | None, key_place: str, now: float) -> dict[str, Any]:
    facts: dict[str, Any] = {"account": account.name, "issuer": account.issuer, "client": account.client_id}
    alive = entry is not None and entry.dead is None
    if entry is not None:
        token = entry.token
        renewable = alive and token.refresh_token is not None
        alive = alive and (renewable or token.expires_at is None or token.expires_at > now)
        scope = str(token.scope) if token.scope is not None else account.scope
        facts |= {"scope": scope, "token expires": _expiry(token.expires_at, now), "refreshable": renewable}
        facts["ID token"] = token.id_token is not None
    return facts | {"logged in": alive, "store key in": key_place}
