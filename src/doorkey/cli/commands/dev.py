"""`doorkey dev`: the embedded provider in a terminal, with its control page."""

from __future__ import annotations

from typing import Any

import click

from doorkey.dev.command import OPTIONS, SUMMARY, Option, serve, write_to_stdout

__all__: list[str] = []


def _parameter(option: Option) -> click.Option:
    if option.kind is bool:
        return click.Option([option.name], is_flag=True, help=option.help)
    details: dict[str, Any] = {"multiple": True} if option.repeats else {"default": option.default}
    if option.alone is not None:
        details |= {"is_flag": False, "flag_value": option.alone}
    return click.Option([option.name], type=option.kind, metavar=option.metavar, help=option.help, **details)


@click.pass_context
def _run(context: click.Context, /, **options: Any) -> None:
    if options.pop("config_help"):
        from doorkey.dev import config

        click.echo(config.__doc__)
        context.exit()
    serve(options, write_to_stdout)


dev = click.Command(
    "dev",
    params=[
        *map(_parameter, OPTIONS),
        click.Option(["--config-help"], is_flag=True, help="Show a configuration file with every key."),
    ],
    callback=_run,
    help=f"{SUMMARY}\n\nIt prints its issuer, users and clients, programs and commands to paste, and the URL of a page "
    "on which you edit users and claims, make requests fail, rotate keys, expire tokens and read the request log.",
)
"""The command `dev`."""
