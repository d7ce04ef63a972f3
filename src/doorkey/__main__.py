"""The script `doorkey`, which is also `python -m doorkey`: the command line."""

from __future__ import annotations

import sys

from doorkey.errors import MissingLibraryError

__all__: list[str] = []


def main() -> int:
    """Run the command that `sys.argv` names, and return the exit status. Without the extra `cli`, say how to get it."""
    try:
        return _run()
    except KeyboardInterrupt:  # before the command or after it: nothing has begun, or all is done
        return 130


def _run() -> int:
    try:
        from doorkey.cli.main import cli
        from doorkey.cli.signals import Ending
        from doorkey.cli.streams import complete_streams, drop_unwritten
        from doorkey.runtime.lost_interrupts import repeat_lost_interrupts
    except ModuleNotFoundError as error:
        from doorkey.runtime.extras import explained

        told = explained(error, "doorkey.cli")
        if not isinstance(told, MissingLibraryError):
            raise
        if sys.stderr is not None:
            sys.stderr.write(f"doorkey: {told.description}\n")
        return 2
    complete_streams()
    ending = Ending()
    with repeat_lost_interrupts():
        status = cli.run(sys.argv[1:])
    drop_unwritten()
    ending.repeat()
    return status


if __name__ == "__main__":
    sys.exit(main())
