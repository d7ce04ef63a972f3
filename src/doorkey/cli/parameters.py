"""Types of command line arguments, and arguments that several commands share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    TextType = click.ParamType[str]
else:
    TextType = click.ParamType  # click 8.1 has no type arguments

__all__: list[str] = []


MAX_NAME: Final = 64
"""The maximum length of the name of an account, in characters."""


class AccountName(TextType):
    """The name of an account: 1 to 64 printable characters, no space, no hyphen at its start. Shells complete it."""

    name = "account"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name, or end the command with a usage error."""
        if not 0 < len(value) <= MAX_NAME or not value.isprintable() or " " in value or value.startswith("-"):
            rule = "has 1 to 64 printable characters, no space, and no hyphen at its start"
            self.fail(f"the name of an account {rule}", param, ctx)
        return value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the accounts whose names begin with `incomplete`, or an empty list if the store is unreadable."""
        from click.shell_completion import CompletionItem

        from doorkey.cli.accounts import Accounts
        from doorkey.cli.errors import CommandError
        from doorkey.errors import OAuthError

        try:
            with Accounts() as accounts:
                names = list(accounts.book().accounts)
        except (CommandError, OAuthError, OSError):
            return []
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


class Seconds(click.FloatRange):
    """A number of seconds between two bounds. It rejects `nan`, which click accepts in every range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or end the command with a usage error."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is not a number of seconds", param, ctx)
        return number


class AccountOrToken(AccountName):
    """The name of an account, or a token. Shells complete the name."""

    name = "token"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text unchanged."""
        return value


ACCOUNT = AccountName()
account_argument = click.argument("account", type=ACCOUNT, required=False)
