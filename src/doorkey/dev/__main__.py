"""`python -m doorkey.dev`: the command `doorkey dev` without the libraries of the command line."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from doorkey.dev import config
from doorkey.dev.command import OPTIONS, SUMMARY, Option, serve, write_to_stdout
from doorkey.errors import OAuthError
from doorkey.runtime.lost_interrupts import repeat_lost_interrupts


def main(arguments: list[str] | None = None) -> int:
    """Run the provider until it is interrupted, and return the exit status.

    arguments: the command line without the program's name; None: that of this process.
    """
    options = _parser().parse_args(arguments)
    try:
        with repeat_lost_interrupts():
            serve(vars(options), write_to_stdout)
    except OAuthError as error:  # also MissingLibraryError
        _report(error.description)
        return 2
    except OSError as error:  # for example, stdout is a file on a full disk
        _report(f"stdout cannot be written to: {error.strerror}")
        return 5
    return 0


def _report(problem: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"doorkey.dev: {problem}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m doorkey.dev",
        description=SUMMARY,
        epilog=config.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for option in OPTIONS:
        parser.add_argument(option.name, help=option.help, **_details(option))
    return parser


def _details(option: Option) -> dict[str, Any]:
    if option.kind is bool:
        return {"action": "store_true"}
    details: dict[str, Any] = {"type": option.kind, "default": option.default, "metavar": option.metavar}
    if option.repeats:
        details["action"] = "append"
    if option.alone is not None:
        details |= {"nargs": "?", "const": option.alone}
    return details


if __name__ == "__main__":
    sys.exit(main())
