"""The command `doorkey`: its table of commands, the options of all of them, and the exit status."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import click

from doorkey.cli.errors import Settings, guarded
from doorkey.cli.streams import allow_every_character

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__: list[str] = []

COMMANDS: Final = {
    "login": ("commands.login:login", "Log in at an issuer, and keep the tokens as an account."),
    "token": ("commands.token:token", "Print a fresh access token of an account."),
    "run": ("commands.run:run", "Run a program with a fresh access token in its environment."),
    "curl": ("commands.curl:curl", "Send a request to an API with the token of an account."),
    "status": ("commands.status:status", "Show an account, and when its token expires."),
    "accounts": ("commands.accounts:accounts", "List the accounts, or choose the default."),
    "logout": ("commands.logout:logout", "Delete an account and its tokens from this machine."),
    "inspect": ("commands.inspect:inspect", "Decode a token, verify it, and say in words what is wrong."),
    "doctor": ("commands.doctor:doctor", "Audit an authorization server or an API by its URL."),
    "dev": ("commands.dev:dev", "Run an OpenID provider that emulates Keycloak, for development."),
    "trace": ("commands.trace:trace", "Log in at an issuer step by step, and show each exchange."),
    "completion": ("commands.completion:completion", "Print the completion script of a shell."),
}
"""Where each command is in this package, and the first sentence of its help, so that a list of them imports none.

A command is imported when it is used. The order is that of `doorkey --help`.
"""

COMPLETION: Final = "_DOORKEY_COMPLETE"
"""The variable by which the script of a shell asks what completes a command line."""
MIN_WIDTH: Final = 20
MAX_WIDTH: Final = 100
"""Columns of help texts on a narrow and on a wide terminal."""


class Commands(click.Group):
    """A group whose commands are imported when they are used, and whose errors become one sentence and a status."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of this name, which gets `--debug`; None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f"doorkey.cli.{module}"), attribute)
        return with_debug(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the first sentence of each command, whole: click would cut it to the width of the terminal."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the options of the group and the commands whose names begin so; no command is imported for it."""
        from click.shell_completion import CompletionItem

        found = [CompletionItem(name, help=summary) for name, (_, summary) in COMMANDS.items()]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [one for one in found if one.value.startswith(incomplete)] + options

    def run(self, arguments: Sequence[str]) -> int:
        """Run the command of these arguments, and return the exit status (`errors.ExitStatus`)."""
        settings = Settings()
        if COMPLETION in os.environ:
            from doorkey.cli.shells import register

            register()
        allow_every_character(sys.stdout, sys.stderr)

        def command() -> object:
            # click wraps at 50 columns at least, unless it is given a width
            width = min(max(shutil.get_terminal_size().columns, MIN_WIDTH), MAX_WIDTH) - 1
            return self.main(list(arguments), "doorkey", standalone_mode=False, obj=settings, terminal_width=width)

        return guarded(command, settings)

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run as click does; standing alone, end the process with `run`'s status."""
        if not standalone_mode:
            run: Callable[..., Any] = super().main  # its overloads are for calls by name
            return run(*args, standalone_mode=False, **extra)
        given = args[0] if args else extra.get("args")
        sys.exit(self.run(sys.argv[1:] if given is None else given))


def _set_debug(context: click.Context, _: click.Parameter, value: bool) -> None:  # click calls it
    settings = context.find_object(Settings)
    if value and settings is not None:
        settings.debug = True


def _debug_option() -> click.Option:
    return click.Option(
        ["--debug"],
        is_flag=True,
        expose_value=False,
        callback=_set_debug,
        help="Show the traceback of an error.",
    )


def with_debug(command: click.Command) -> click.Command:
    """Return the `command` with the option `--debug`, so that it works before and after the command's name."""
    if not any("--debug" in parameter.opts for parameter in command.params):
        command.params.append(_debug_option())
    return command


def _print_version(context: click.Context, _: click.Parameter, value: bool) -> None:  # click calls it
    if value:
        # the package is above this module; it is loaded, as this module is in it
        click.echo(f"doorkey {sys.modules['doorkey'].__version__}")
        context.exit()


cli = Commands(
    "doorkey",
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_print_version,
            help="Show the version.",
        ),
        _debug_option(),
    ],
    context_settings={"help_option_names": ["-h", "--help"]},
    help="OAuth 2 and OpenID Connect from a terminal: log in, get a fresh token, call an API, find a fault.\n\n"
    "Results are printed to stdout, all messages to stderr.",
)
"""The group that runs every command."""
