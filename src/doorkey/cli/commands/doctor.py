"""`doorkey doctor`: audit an authorization server or an API, and list the fixes."""

from __future__ import annotations

import json

import click

from doorkey.cli.terminal import out, out_console, waiting
from doorkey.runtime.clock import wall_time
from doorkey.wire.urls import shown_url

__all__: list[str] = []


@click.command()
@click.argument("url", metavar="URL")
@click.option("--api", "kind", flag_value="api", help="Audit URL as an API.")
@click.option("--issuer", "kind", flag_value="issuer", help="Audit URL as the issuer of an authorization server.")
@click.option("--strict", is_flag=True, help="Exit with status 1 for warnings too.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(url: str, *, kind: str | None, strict: bool, as_json: bool) -> int:
    """Audit an authorization server or an API by its URL.

    URL is the issuer of an authorization server, or one of the URLs of an API.

    For an authorization server, it checks the metadata at each well-known URL, keys, TLS, algorithms, PKCE, iss, clock
    and endpoints. For an API, it checks the challenge (RFC 6750) and the metadata (RFC 9728).

    The requests contain no secret, and no user logs in. Endpoints that expect a form get an empty form.
    The exit status is 1 if there is a failure.
    """
    from doorkey.cli.doctor.audit import audit
    from doorkey.cli.doctor.finding import Severity
    from doorkey.cli.doctor.running import Auditor

    with waiting(f"auditing {shown_url(url)}"):
        done = Auditor().run(audit(url, wall_time, kind))
    if as_json:
        out(json.dumps(done.as_json(), indent=2))
    else:
        from doorkey.cli.doctor.view import rendered

        console = out_console()
        console.print(rendered(done, console.width))
    bad = done.count(Severity.FAILURE) + (done.count(Severity.WARNING) if strict else 0)
    return 1 if bad else 0
