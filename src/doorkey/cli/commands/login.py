"""`doorkey login`: log in at an issuer, and save the login as an account."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Literal

import click

from doorkey.cli.parameters import ACCOUNT, Seconds
from doorkey.cli.terminal import note
from doorkey.errors import printable

__all__: list[str] = []


@click.command()
@click.argument("issuer")
@click.option("--account", type=ACCOUNT, help="The name of the account; by default the host of the issuer.")
@click.option("--client-id", metavar="ID", help="The client; by default one is registered, if the server offers that.")
@click.option("--client-secret-stdin", "has_secret", is_flag=True, help="Read the client's secret from stdin.")
@click.option("--scope", metavar="SCOPES", help="The scopes, separated by spaces.  [default: openid]")
@click.option("--browser", "method", flag_value="browser", help="Log in with the browser of this machine.")
@click.option("--device", "method", flag_value="device", help="Log in with a code in a browser of another device.")
@click.option("--paste", "method", flag_value="paste", help="Log in with any browser, and paste the URL it ends at.")
@click.option("--no-browser", is_flag=True, help="Log in with the browser of this machine, but do not open it.")
@click.option(
    "--port",
    "ports",
    type=click.IntRange(1, 65535),
    multiple=True,
    metavar="PORT",
    help="A port for the response of the browser, if the client is registered with it; repeatable: the first free one.",
)
@click.option(
    "--timeout",
    type=Seconds(1, 600),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="How long the login in the browser may take.",
)
def login(
    issuer: str,
    account: str | None,
    client_id: str | None,
    scope: str | None,
    method: Literal["browser", "device", "paste"] | None,
    ports: tuple[int, ...],
    timeout: float,
    *,
    has_secret: bool,
    no_browser: bool,
) -> None:
    """Log in at an issuer, and keep the tokens as an account.

    ISSUER is the URL of the authorization server, such as https://login.example.com/realms/one. By default, the login
    method is chosen to fit this machine and the server. A second login of an account reuses its client and its scopes.
    """
    from doorkey.cli.accounts import Accounts
    from doorkey.cli.logins import account_name, client_of, issuer_url, log_in
    from doorkey.cli.server_logout import delete_registration

    if no_browser and method not in (None, "browser"):
        raise click.UsageError(f"--no-browser and --{method} cannot be used together")
    if has_secret and client_id is None:
        raise click.UsageError("--client-secret-stdin needs --client-id")
    secret = _secret() if has_secret else None
    url = issuer_url(issuer)
    with Accounts() as accounts:
        accounts.check_writable()
        book = accounts.book()
        name = account or account_name(book, url)
        before = book.accounts.get(name)
        scopes = scope or (before.scope if before and before.issuer == url else "") or "openid"
        with client_of(before, url, client_id, secret) as client:
            result = log_in(
                url,
                client,
                scopes,
                method="browser" if no_browser else method,
                ports=ports,
                timeout=timeout,
                opens_browser=not no_browser,
            )
            saved = accounts.save(client.account(name, url, scopes), result.token)
        note(f"Logged in{_user(result.claims)}. The account is {saved.name!r}.")
        note(f"'doorkey token {saved.name}' prints its token.")
        if not result.token.get("refresh_token"):
            note(
                "The server issued no refresh token, so the login ends when the access token expires. --scope 'openid "
                "offline_access' requests one."
            )
        if before is not None and not client.is_of(before, url):
            delete_registration(before, accounts.book())


def _user(claims: Mapping[str, Any] | None) -> str:
    """Return ` as ` and the user's `preferred_username` or `sub`, or an empty text."""
    named = (claims or {}).get("preferred_username") or (claims or {}).get("sub")
    return f" as {printable(named, 100)}" if isinstance(named, str) else ""


def _secret() -> str:
    if sys.stdin.isatty():
        secret: str = click.prompt("Client secret", hide_input=True, err=True)
    else:
        secret = sys.stdin.readline().rstrip("\r\n")
    if not secret:
        raise click.UsageError("stdin has no secret")
    return secret
