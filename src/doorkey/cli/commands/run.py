"""`doorkey run`: a program with a fresh token in its environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import click

from doorkey.cli.errors import CommandError
from doorkey.cli.parameters import account_argument
from doorkey.cli.terminal import note
from doorkey.errors import printable

__all__: list[str] = []

NOT_FOUND = 127
"""The exit status of shells for a program that does not exist."""
NOT_EXECUTABLE = 126
"""The exit status of shells for a program that cannot be executed."""


class _Run(click.Command):
    """A command that passes all arguments after `--` to the program."""

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "--", "PROGRAM [ARGUMENT]..."]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own, program = args, list[str]()
        if "--" in args:
            where = args.index("--")
            own, program = args[:where], args[where + 1 :]
        ctx.meta["doorkey.program"] = program
        return super().parse_args(ctx, own)


@click.command(cls=_Run, epilog="Example: doorkey run -- sh -c 'echo \"$DOORKEY_TOKEN\" | wc -c'")
@account_argument
@click.option("--env", "variable", default="DOORKEY_TOKEN", show_default=True, help="The variable for the token.")
@click.pass_context
def run(ctx: click.Context, account: str | None, variable: str) -> int:
    """Run a program with a fresh access token in its environment.

    The exit status is the program's. The token is not renewed while the program runs.
    Without ACCOUNT, it uses the default account: see 'doorkey accounts'.
    """
    from doorkey.cli.accounts import Accounts
    from doorkey.cli.tokens import current_token

    program: list[str] = ctx.meta["doorkey.program"]
    if not program:
        raise click.UsageError("name the program after '--'")
    if not variable.isidentifier() or not variable.isascii():
        raise click.BadParameter("the name of a variable has letters, digits and _", param_hint="--env")
    path = shutil.which(program[0])
    if path is None:
        note(f"doorkey: there is no program '{printable(program[0], 200)}'")
        return NOT_FOUND
    with Accounts() as accounts:
        token = current_token(accounts, accounts.find(account))
    environment = {**os.environ, variable: token.access_token.reveal()}
    sys.stdout.flush()
    if os.name != "posix":
        return subprocess.run(program, executable=path, env=environment, check=False).returncode  # noqa: S603
    try:
        # exec, so that the shell sends its signals to the program and gets its status directly
        os.execve(path, program, environment)  # noqa: S606
    except OSError as error:
        raise CommandError(f"{path} cannot be run: {error.strerror}", NOT_EXECUTABLE) from None
