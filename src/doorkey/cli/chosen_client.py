"""The issuer and the client of a command: from its options, or from an account."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from doorkey.cli.errors import CommandError, ExitStatus
from doorkey.values import Secret
from doorkey.wire.urls import shown_url

if TYPE_CHECKING:
    from doorkey.cli.accounts import Account

__all__: list[str] = []

VARIABLE: Final = "DOORKEY_CLIENT_SECRET"


@dataclass(frozen=True, slots=True)
class ChosenClient:
    """The issuer and the client of a command. A value that was not given is None."""

    issuer: str | None
    client_id: str | None
    client_secret: Secret | None


def chosen_client(
    account: Account | None, issuer: str | None, client_id: str | None, secret_file: str | None
) -> ChosenClient:
    """Return the issuer and the client of a command.

    account: the account of `--account`. Its secret is used only for its own client at its own issuer. The environment
        variable is then ignored, because its secret belongs to another client.
    issuer, client_id, secret_file: the values of the options.

    Raises `click.UsageError` for an empty issuer or client ID, and for an issuer that is not the account's. Raises
    `CommandError` for an unreadable file.
    """
    if "" in (issuer, client_id):  # from an unset shell variable; it must not mean "any issuer"
        raise click.UsageError("the issuer and the client ID cannot be empty")
    if account is None:
        return ChosenClient(issuer, client_id, _secret(secret_file))
    if issuer is not None and issuer != account.issuer:
        own = shown_url(account.issuer)
        raise click.UsageError(f"the account {account.name!r} belongs to the issuer {own}: omit the other issuer")
    if client_id is not None and client_id != account.client_id:
        return ChosenClient(account.issuer, client_id, _secret(secret_file))
    secret = account.client_secret if secret_file is None else _secret(secret_file)
    return ChosenClient(account.issuer, account.client_id, secret)


def _secret(file: str | None) -> Secret | None:
    if file is not None:
        return Secret(content(file).decode("utf-8", "replace").strip())
    return Secret(given) if (given := os.environ.get(VARIABLE)) else None


def content(file: str) -> bytes:
    """Return the content of the file that an option names. Raises `CommandError` if it is unreadable."""
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}", ExitStatus.USAGE) from None
