"""The script `doorkey`, which is also `python -m doorkey`: the command line."""

from __future__ import annotations

import sys

from doorkey.errors import MissingLibraryError

__all__: list[str] = []


def main() -> int:
    """Run the command in `sys.argv`, and return the exit status. Without the extra `cli`, print how to install it."""
    try:
        return _run()
    except KeyboardInterrupt:  # before the command began or after it was done, so no work is lost
        return 130


def _run() -> int:
    try:
        from doorkey.cli.main import cli
        from doorkey.cli.signals import TerminationSignals
        from doorkey.cli.streams import complete_streams, drop_unwritten
        from doorkey.runtime.lost_interrupts import repeat_lost_interrupts
    except ModuleNotFoundError as error:
        from doorkey.runtime.extras import explained

        explanation = explained(error, "doorkey.cli")
        if not isinstance(explanation, MissingLibraryError):
            raise
        if sys.stderr is not None:
            sys.stderr.write(f"doorkey: {explanation.description}\n")
        return 2
    complete_streams()
    signals = TerminationSignals()
    with repeat_lost_interrupts():
        status = cli.run(sys.argv[1:])
    drop_unwritten()
    signals.repeat()
    return status


if __name__ == "__main__":
    sys.exit(main())
