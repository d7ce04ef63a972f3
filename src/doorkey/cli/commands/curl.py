"""`doorkey curl`: a request to an API with the token of an account."""

from __future__ import annotations

import click

from doorkey.cli.parameters import ACCOUNT, Seconds

__all__: list[str] = []


@click.command()
@click.argument("url")
@click.option("--account", type=ACCOUNT, help="The account, in place of the default account.")
@click.option("-X", "--request", "method", metavar="METHOD", help="The method; POST if there is a body, else GET.")
@click.option("-H", "--header", "headers", metavar="'NAME: VALUE'", multiple=True, help="A header; repeatable.")
@click.option("-d", "--data", metavar="DATA", multiple=True, help="A form body; @FILE or @- reads it; repeatable.")
@click.option("--json", "json_data", metavar="JSON", help="A JSON body; @FILE or @- reads it.")
@click.option("-i", "--include", is_flag=True, help="Print the status and the headers of the response too.")
@click.option(
    "-o", "--output", metavar="FILE", type=click.Path(dir_okay=False, path_type=str), help="Write the body to a file."
)
@click.option("-L", "--location", is_flag=True, help="Follow redirects within the origin of the URL.")
@click.option("-s", "--silent", is_flag=True, help="Show no timing.")
@click.option("--timeout", type=Seconds(0.1, 3600), default=60.0, show_default=True, metavar="SECONDS")
def curl(
    url: str,
    account: str | None,
    method: str | None,
    headers: tuple[str, ...],
    data: tuple[str, ...],
    json_data: str | None,
    output: str | None,
    timeout: float,
    *,
    include: bool,
    location: bool,
    silent: bool,
) -> int:
    """Send a request to an API with the token of an account.

    The body goes to stdout, the timing to stderr. If the API rejects the request, an explanation and a fix go to
    stderr. The exit status is 1 if the status of the response is 400 or above. The token is sent by https only, except
    to this machine, and never to another origin.
    """
    from doorkey.cli.accounts import Accounts
    from doorkey.cli.api.call import Call, Display
    from doorkey.cli.api.request import request_of

    if data and json_data is not None:
        raise click.UsageError("--data and --json cannot be used together")
    request = request_of(url, method, headers, data, json_data)
    with Accounts() as accounts:
        call = Call(accounts, accounts.find(account), timeout=timeout, follows=location)
        display = Display(output, include=include, silent=silent)
        return call.run(request, display)
