"""The errors of commands: one sentence on stderr, and an exit status."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import click

from doorkey.errors import (
    AccessDenied,
    InvalidGrant,
    InvalidResponse,
    MissingTokenError,
    OAuthError,
    RecordError,
    ServerError,
    StoreError,
    TokenExpiredError,
    TransportError,
    UsageError,
    printable,
)
from doorkey.native.console import write_stderr
from doorkey.runtime.extras import explained

__all__: list[str] = []


class ExitStatus(IntEnum):
    """The exit statuses that docs/command-line.md documents. `doorkey run` exits with the status of its program."""

    OK = 0
    REJECTED = 1
    """A login or a request was rejected, or a check failed."""
    USAGE = 2
    """The command line is wrong; also click's own status."""
    NOT_LOGGED_IN = 3
    """There is no such account, or its login has ended."""
    UNREACHABLE = 4
    """The server or the network failed."""
    STORAGE = 5
    """The store of tokens, its key or the disk failed."""
    BUG = 70
    """An error that doorkey does not expect (EX_SOFTWARE of sysexits.h)."""
    INTERRUPTED = 130
    """Ctrl-C, as a shell reports it."""


_STATUSES: Final[tuple[tuple[type[OAuthError], ExitStatus], ...]] = (
    (StoreError, ExitStatus.STORAGE),
    (RecordError, ExitStatus.STORAGE),
    (MissingTokenError, ExitStatus.NOT_LOGGED_IN),
    (TokenExpiredError, ExitStatus.NOT_LOGGED_IN),
    (InvalidGrant, ExitStatus.NOT_LOGGED_IN),
    (AccessDenied, ExitStatus.REJECTED),
    (UsageError, ExitStatus.USAGE),
    (TransportError, ExitStatus.UNREACHABLE),
    (ServerError, ExitStatus.UNREACHABLE),
    (InvalidResponse, ExitStatus.UNREACHABLE),
)
"""The exit status of each error class. The first matching class decides; any other error is `REJECTED`."""


class CommandError(Exception):
    """An error that ends a command.

    sentence: one sentence for the user, with the cause and the fix.
    status: the exit status.
    """

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(slots=True)
class Settings:
    """The options that all commands have."""

    debug: bool = False


def status_of(error: BaseException) -> int:
    """Return the exit status of an error."""
    if isinstance(error, CommandError):
        return error.status
    if isinstance(error, OAuthError):
        return next((status for kind, status in _STATUSES if isinstance(error, kind)), ExitStatus.REJECTED)
    return ExitStatus.STORAGE if isinstance(error, OSError) else ExitStatus.BUG


def sentence_of(error: BaseException) -> str:
    """Return the message for `error`: one sentence without line breaks and control characters."""
    if isinstance(error, CommandError | OAuthError):
        return printable(str(error), 2000)
    if isinstance(error, OSError):
        # the errors of files that a command opens have a file name
        unnamed = "the working directory" if isinstance(error, FileNotFoundError) else "stdout cannot be written to"
        where = error.filename or unnamed
        return printable(f"{where}: {error.strerror or type(error).__name__}", 2000)
    return f"this is a bug in doorkey ({type(error).__name__}): please report it with what --debug shows"


def guarded(command: Callable[[], object], settings: Settings) -> int:
    """Call `command` and return the exit status: the number that it returns, or the status of its error.

    An error is printed as one sentence; `--debug` also prints its traceback.
    """
    try:
        result = command()
        sys.stdout.flush()  # a full disk behind `> file` is an error like any other
    except click.ClickException as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # click 8.2 and newer: the message is the help
            write_stderr(f"{error.format_message()}\n")
        else:
            write_stderr(f"doorkey: {_usage_sentence(error)}\n")
        return error.exit_code
    except (click.Abort, KeyboardInterrupt) as interrupt:
        if not isinstance(interrupt.__cause__, KeyboardInterrupt):  # for that error, click has ended the line
            write_stderr("\n")  # the shell's prompt begins on a line of its own
        return ExitStatus.INTERRUPTED
    except ModuleNotFoundError as error:  # the command is installed with every extra, and click comes with Flask
        return _reported(explained(error, "doorkey.cli"), settings)
    except Exception as error:  # noqa: BLE001  # a traceback is for --debug alone
        return _reported(error, settings)
    return result if isinstance(result, int) else ExitStatus.OK


def _usage_sentence(error: click.ClickException) -> str:
    """Return click's message about the command line, with the command that prints the help."""
    # click puts each choice of an argument on a line of its own
    words = printable(" ".join(error.format_message().split()), 2000).removesuffix(".")
    context = error.ctx if isinstance(error, click.UsageError) else None
    message = f"{words[:1].lower()}{words[1:]}"
    return message if context is None else f"{message} (see '{context.command_path} --help')"


def _reported(error: Exception, settings: Settings) -> int:
    if settings.debug:
        write_stderr(traceback_of(error))
    write_stderr(f"doorkey: {sentence_of(error)}\n")
    return status_of(error)


def traceback_of(error: BaseException) -> str:
    """Return the traceback of an error and of its causes, without the values of variables and without secrets.

    The messages of our own errors have no secrets. In the messages of other libraries, text like a secret is hidden.
    """
    from doorkey.wire.redaction import without_tokens

    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    before = f"{traceback_of(cause)}\nwhich led to\n\n" if cause is not None else ""
    own = isinstance(error, CommandError | OAuthError)
    text = printable(str(error) if own else without_tokens(str(error)), 2000)
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"{before}{frames}{type(error).__qualname__}: {text}\n"
