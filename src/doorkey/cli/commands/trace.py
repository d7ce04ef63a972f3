"""`doorkey trace`: show a login step by step, with each exchange and its specification. All secrets are hidden."""

from __future__ import annotations

import platform
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import click

from doorkey.cli.errors import ExitStatus, sentence_of
from doorkey.cli.output_file import output_file
from doorkey.cli.parameters import ACCOUNT, Seconds
from doorkey.cli.terminal import Waiting, note, out_console
from doorkey.wire.urls import shown_url

if TYPE_CHECKING:
    from doorkey.cli.trace.events import Event
    from doorkey.cli.trace.log import Log
    from doorkey.cli.trace.steps import Options
    from doorkey.protocol.device import DeviceAuthorization

__all__: list[str] = []

_SCOPE: Final = "openid"


@click.command()
@click.argument("issuer", required=False)
@click.option("--account", type=ACCOUNT, help="The account whose issuer, client and scopes are used.")
@click.option("--client-id", metavar="ID", help="The client.")
@click.option("--client-secret-file", metavar="FILE", help="The client's secret; else $DOORKEY_CLIENT_SECRET.")
@click.option("--scope", metavar="TEXT", help="The scope that is requested; by default openid.")
@click.option("--device", "flow", flag_value="device", help="Log in with a code on another device (RFC 8628).")
@click.option(
    "--client-credentials", "flow", flag_value="client_credentials", help="Request a token for the client itself."
)
@click.option("--no-browser", is_flag=True, help="Show the URL of the login, and open no browser.")
@click.option("--port", "ports", type=click.IntRange(0, 65535), multiple=True, help="Port of the redirect URI.")
@click.option("--timeout", type=Seconds(1, 600), default=300.0, help="Seconds for the login in the browser.")
@click.option("--verbose", "-v", is_flag=True, help="Show all headers, and all lines of documents.")
@click.option("--html", "html_file", metavar="FILE", help="Also write the trace as one HTML page.")
def trace(issuer: str | None, *, html_file: str | None, verbose: bool, **options: Any) -> int:
    """Log in at an issuer step by step, and show each exchange.

    Each exchange is shown with the section of its specification. The steps are discovery, authorization request, its
    response, token request, ID token, UserInfo, renewal and revocation.
    Secrets, tokens, codes and claims about a person are hidden. The tokens are revoked and not kept.

    --account takes the issuer, the client and the scopes of an account. The tokens of the account are not used.
    """
    from doorkey.cli.trace.log import Log
    from doorkey.cli.trace.steps import traced
    from doorkey.cli.trace.view import rendered

    given = _options(issuer, options)
    console = out_console()

    line = Waiting("waiting for the login or the server (Ctrl-C ends it)")

    def show(event: Event) -> None:
        line.print_above(lambda: console.print(rendered(event, len(log.events), whole=verbose)))

    log = Log(show)
    if html_file is not None:
        _write(html_file, log, given)  # before the login, so that a file that cannot be written is an error now
    try:
        with line:
            traced(_shown_above(line, given), log)
    except Exception as error:
        log.add(_failure(error))
        raise
    finally:
        if html_file is not None:
            _write(html_file, log, given)
            note(f"the trace is in {html_file}")
    return ExitStatus.OK


def _shown_above(line: Waiting, options: Options) -> Options:
    """Return `options` with functions that show the URL or the code of a login above the progress `line`."""
    from doorkey.native import browsers
    from doorkey.native.by_device import show_device

    def show_url(url: str) -> None:
        line.print_above(lambda: browsers.show_url(url))

    def show_code(device: DeviceAuthorization) -> None:
        line.print_above(lambda: show_device(device))

    return replace(options, show=show_url, show_device=show_code)


def _failure(error: Exception) -> Event:
    from doorkey.cli.trace.events import Event

    return Event(title="the trace ends here", note=sentence_of(error), failed=True)


def _options(issuer: str | None, options: dict[str, Any]) -> Options:
    from doorkey.cli.chosen_client import chosen_client
    from doorkey.cli.trace.steps import BROWSER, Options

    account, scope = None, options["scope"]
    if options["account"] is not None:
        from doorkey.cli.accounts import Accounts

        with Accounts() as accounts:
            account = accounts.find(options["account"])
        scope = scope or account.scope or None
    client = chosen_client(account, issuer, options["client_id"], options["client_secret_file"])
    if client.issuer is None or client.client_id is None:
        raise click.UsageError("give ISSUER and --client-id ID, or --account NAME")
    flow = options["flow"] or BROWSER
    return Options(
        issuer=client.issuer,
        client_id=client.client_id,
        client_secret=client.client_secret,
        scope=scope or (None if flow == "client_credentials" else _SCOPE),
        flow=flow,
        ports=options["ports"] or (0,),
        timeout=options["timeout"],
        open_browser=_open_nothing if options["no_browser"] else None,
    )


def _open_nothing(_: str) -> None:
    """Do nothing: the user opens the URL that was shown."""


def _write(file: str, log: Log, options: Options) -> None:
    from doorkey.cli.trace.page import trace_page

    facts = (
        ("issuer", shown_url(options.issuer)),
        ("client", options.client_id),
        ("flow", options.flow),
        ("time", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())),
        ("versions", f"doorkey {sys.modules['doorkey'].__version__}, Python {platform.python_version()}"),
    )
    with output_file(file) as written:
        written.write(trace_page(log.events, "Trace of a login", facts).encode())
