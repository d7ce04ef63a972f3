"""`doorkey inspect`: decode a token, verify it with the keys of its issuer, and explain its problems."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import click

from doorkey.cli.errors import CommandError, ExitStatus
from doorkey.cli.parameters import ACCOUNT, AccountOrToken, Seconds
from doorkey.cli.terminal import note, out, out_console, waiting
from doorkey.runtime.clock import wall_time
from doorkey.wire.urls import shown_url

if TYPE_CHECKING:
    from doorkey.cli.chosen_client import ChosenClient
    from doorkey.cli.inspection.reading import EncryptedToken, OpaqueToken, SignedToken
    from doorkey.cli.inspection.report import Report
    from doorkey.cli.inspection.verifying import Signature
    from doorkey.sources.issuer import Issuer

__all__: list[str] = []

_OPAQUE: Final = (
    "this is neither a JWT nor the name of an account: only its issuer can explain an opaque token. --introspect with "
    "--account NAME, or with --issuer URL and --client-id ID, sends it to that issuer, and to no other server"
)


@click.command()
@click.argument("token", metavar="[TOKEN|ACCOUNT]", type=AccountOrToken(), required=False)
@click.option(
    "--account",
    type=ACCOUNT,
    help="The account whose issuer and client are used, and whose token is inspected if there is no TOKEN.",
)
@click.option("--issuer", metavar="URL", help="The issuer that you trust; the token must be from it.")
@click.option("--audience", metavar="TEXT", multiple=True, help="Your client ID, or the name of your API.")
@click.option("--key", metavar="FILE", help="A JWK Set, a JWK, PEM or a shared secret, in place of the issuer's keys.")
@click.option("--type", "kind", type=click.Choice(["id", "access"]), help="Check it as this kind of token.")
@click.option(
    "--profile",
    type=click.Choice(["rfc9068", "keycloak", "entra", "auth0"]),
    help="Check it as an access token of this kind of server.",
)
@click.option("--leeway", type=Seconds(0, 3600), default=60.0, help="Seconds by which clocks may differ.")
@click.option("--offline", is_flag=True, help="Contact no server; the signature is checked with --key only.")
@click.option("--introspect", is_flag=True, help="Send the token to its issuer, and show the issuer's response.")
@click.option("--client-id", metavar="ID", help="The client that sends the request of --introspect.")
@click.option("--client-secret-file", metavar="FILE", help="The secret of that client; else $DOORKEY_CLIENT_SECRET.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def inspect(token: str | None, account: str | None, *, as_json: bool, **options: Any) -> int:
    """Decode a token, verify it, and explain what is wrong.

    TOKEN is the token, or `-` for stdin, which is also the default. A token on the command line is in the history of
    your shell, so a pipe is better: doorkey token | doorkey inspect

    ACCOUNT is the name of an account. Its stored access token is inspected, or its ID token with --type id. With
    --account, TOKEN is checked against the issuer of the account, and --introspect uses the client of the account.

    The only requests are those for the issuer's metadata and keys, unless you give --introspect.
    The exit status is 1 if anything is wrong with the token.
    """
    from doorkey.cli.chosen_client import chosen_client
    from doorkey.cli.inspection.of_account import account_named, given_token, token_of
    from doorkey.cli.inspection.reading import EncryptedToken, OpaqueToken, read_token
    from doorkey.cli.inspection.report import encrypted_report

    found = account_named(token, account)
    client = chosen_client(found, options["issuer"], options["client_id"], options["client_secret_file"])
    options["issuer"] = client.issuer
    if found is not None and token in (None, found.name):
        if options["kind"] == "id":
            options["audience"] = options["audience"] or (found.client_id,)
        given = read_token(token_of(found, options["kind"]))
    else:
        given = read_token(given_token(token))
    del token
    if options["introspect"]:
        report = _introspected(given, client, is_offline=options["offline"])
    elif isinstance(given, OpaqueToken):
        raise CommandError(_OPAQUE, ExitStatus.REJECTED)
    elif isinstance(given, EncryptedToken):
        report = encrypted_report(given)
    else:
        report = _verified(given, options)
    if as_json:
        out(json.dumps(report.as_json(), indent=2))
    else:
        from doorkey.cli.inspection.view import rendered

        out_console().print(rendered(report))
    return report.exit_code


def _verified(token: SignedToken, options: dict[str, Any]) -> Report:
    from doorkey.cli.inspection.checks import Expected
    from doorkey.cli.inspection.report import report_of
    from doorkey.protocol.token_profiles import PROFILES

    now = wall_time()
    profile = options["profile"]
    expected = Expected(
        issuer=options["issuer"],
        audience=options["audience"],
        kind=options["kind"] or ("access" if profile else None),
        profile=PROFILES[profile] if profile else None,
        leeway=options["leeway"],
    )
    return report_of(token, expected, _signature(token, expected.kind, options, now), now)


def _signature(token: SignedToken, kind: str | None, options: dict[str, Any], now: float) -> Signature:
    from doorkey.cli.chosen_client import content
    from doorkey.cli.inspection import verifying
    from doorkey.cli.inspection.checks import kind_of

    if options["key"] is not None:
        return verifying.with_keys(token, verifying.read_keys(content(options["key"])), now)
    if options["offline"]:
        return verifying.Signature(verified=None, words="not checked: --offline, and no --key FILE")
    named = options["issuer"] or verifying.issuer_of(token)
    if named is None:
        return verifying.Signature(verified=None, words=verifying.unfetchable(token), unreachable=True)
    with _issuer(named) as issuer:  # it checks the URL
        note(verifying.contacts(named))
        with waiting(verifying.contacts(named)):
            kind = kind or kind_of(token.header, token.claims)
            return verifying.with_issuer(token, issuer, kind, now, is_claim=options["issuer"] is None)


def _introspected(
    token: SignedToken | EncryptedToken | OpaqueToken, client: ChosenClient, *, is_offline: bool
) -> Report:
    from doorkey.cli.inspection import verifying
    from doorkey.cli.inspection.report import introspected_report

    if client.issuer is None or client.client_id is None or is_offline:
        raise click.UsageError(
            "--introspect needs --account NAME, or --issuer URL and --client-id ID, and no --offline"
        )
    note(f"sending the token to its issuer {shown_url(client.issuer)}")
    with _issuer(client.issuer) as known, waiting("asking the issuer about the token"):
        members = verifying.introspected(token.token, known, client.client_id, client.client_secret)
    return introspected_report(token, members, wall_time())


def _issuer(url: str) -> Issuer:
    from doorkey.sources.issuer import Issuer

    return Issuer(url)
