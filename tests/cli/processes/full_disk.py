"""Run in a mount namespace of its own: a small file system that is filled up while tokens are renewed.

Arguments: the directory to mount at, the provider's issuer. Prints a JSON list with one object for each number of
bytes that were left on the disk: what the command did, and whether the login still works afterwards.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from doorkey.cli.accounts import Account, Accounts
from doorkey.cli.errors import CommandError, ExitStatus, status_of
from doorkey.cli.space_reserving_store import FILE
from doorkey.errors import OAuthError
from doorkey.integrations.httpx_client import OAuth2Client
from doorkey.tokens import OAuth2Token
from doorkey.values import Secret
from tests.cli.logins import CLIENT, SECRET

PAGE = 4096


def fill(path: Path, leaving: int) -> None:
    """Fill the disk up to `leaving` bytes."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * PAGE)
    with path.open("r+b") as file:
        file.truncate(max(path.stat().st_size - leaving, 0))


def outcome(home: Path, account: Account) -> str:
    """Return "token", or the name of the exit status."""
    with Accounts(home) as accounts:
        try:
            accounts.fresh_token(accounts.find(account.name))
        except (CommandError, OAuthError, OSError) as error:
            return ExitStatus(status_of(error)).name
    return "token"


def tried(home: Path, issuer: str, leaving: int, *, has_reserve: bool) -> dict[str, Any]:
    with OAuth2Client(CLIENT, SECRET, issuer=issuer, scope="openid") as client:
        token = client.fetch_token(username="alice", password="wonderland")
    with Accounts(home) as accounts:
        expired = OAuth2Token({**token, "expires_at": time.time() - 60})
        account = accounts.save(Account("work", issuer, CLIENT, "openid", Secret(SECRET)), expired)
    if not has_reserve:
        (home / FILE).unlink()  # it was used up
    filler = home.parent / "filler"
    fill(filler, leaving)
    try:
        during = outcome(home, account)
    finally:
        filler.unlink()
    used = has_reserve and not (home / FILE).exists()
    return {
        "left": leaving,
        "during": during,
        "reserve used": used,
        "after": outcome(home, account),
    }


def main() -> None:
    where, issuer = sys.argv[1:]
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", where], check=True)
    home = Path(where) / "doorkey"
    outcomes = [tried(home, issuer, pages * PAGE, has_reserve=True) for pages in range(4, 16)]
    outcomes += [tried(home, issuer, pages * PAGE, has_reserve=False) for pages in (8, 10, 12, 100)]
    sys.stdout.write(json.dumps(outcomes))


if __name__ == "__main__":
    main()
