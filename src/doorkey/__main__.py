"""The script `doorkey`, which is also `python -m doorkey`: the command line."""

from __future__ import annotations

import sys

from doorkey.errors import MissingLibraryError

__all__: list[str] = []


def main() -> int:
    """Run the command that `sys.argv` names, and return the exit status. Without the extra `cli`, say how to get it."""
    try:
        from doorkey.cli.main import cli
    except ModuleNotFoundError as error:
        from doorkey.runtime.extras import explained

        told = explained(error, "doorkey.cli")
        if not isinstance(told, MissingLibraryError):
            raise
        sys.stderr.write(f"doorkey: {told.description}\n")
        return 2
    return cli.run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
