"""The command `doorkey`: its table of commands, the options that all commands have, and the exit status."""

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
    "inspect": ("commands.inspect:inspect", "Decode a token, verify it, and explain what is wrong."),
    "doctor": ("commands.doctor:doctor", "Audit an authorization server or an API by its URL."),
    "dev": ("commands.dev:dev", "Run an OpenID provider that emulates Keycloak, for development."),
    "trace": ("commands.trace:trace", "Log in at an issuer step by step, and show each exchange."),
    "completion": ("commands.completion:completion", "Print the completion script of a shell."),
}
"""The module and the attribute of each command, and the first sentence of its help, in the order of `doorkey --help`.

A command is imported when it is used, so listing the commands imports none of them.
"""

COMPLETION: Final = "_DOORKEY_COMPLETE"
"""The environment variable with which a shell's completion script requests completions."""
MIN_WIDTH: Final = 20
MAX_WIDTH: Final = 100
"""The smallest and the largest width of help texts, in columns."""


class Commands(click.Group):
    """A group that imports a command when it is used, and reports an error as one sentence and an exit status."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command `cmd_name`, and return it with the option `--debug`; None if there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f"doorkey.cli.{module}"), attribute)
        return with_debug(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the complete first sentence of each command. click would cut it to the width of the terminal."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands and the options of the group that begin with `incomplete`. No command is imported."""
        from click.shell_completion import CompletionItem

        found = [CompletionItem(name, help=summary) for name, (_, summary) in COMMANDS.items()]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [one for one in found if one.value.startswith(incomplete)] + options

    def run(self, arguments: Sequence[str]) -> int:
        """Run the command that `arguments` name, and return the exit status (`errors.ExitStatus`)."""
        settings = Settings()
        if COMPLETION in os.environ:
            from doorkey.cli.shells import register

            register()
        allow_every_character(sys.stdout, sys.stderr)

        def command() -> object:
            # without a width, click wraps at no fewer than 50 columns
            width = min(max(shutil.get_terminal_size().columns, MIN_WIDTH), MAX_WIDTH) - 1
            return self.main(list(arguments), "doorkey", standalone_mode=False, obj=settings, terminal_width=width)

        return guarded(command, settings)

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run as click does. In standalone mode, end the process with the status of `run`."""
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
        # the package doorkey is in a higher layer, so it is not imported here; it is already in sys.modules
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
