"""A command line tool: the first run logs the user in, and later runs use the token that it kept."""

import os
import sys
from pathlib import Path

from doorkey import Issuer, TokenVault
from doorkey.errors import InvalidGrant, MissingTokenError, TokenExpiredError
from doorkey.native import login
from doorkey.stores import SQLiteStore

ISSUER = os.environ.get("ISSUER", "http://127.0.0.1:8080/realms/master")
CLIENT = "public-native"
FOLDER = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "hello"


def main() -> None:
    """Greet the user."""
    FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
    issuer = Issuer(ISSUER)
    with TokenVault(SQLiteStore(FOLDER / "tokens.db"), client_id=CLIENT, issuer=issuer) as vault:
        try:
            vault.source("me").token()
        except (MissingTokenError, TokenExpiredError, InvalidGrant):  # no login yet, or none that is valid
            vault.save("me", login(issuer, CLIENT, scope="openid profile").token)
            print("You are logged in.", file=sys.stderr)
        with vault.client("me") as api:
            user = api.get(issuer.metadata().userinfo_endpoint or "").json()
    issuer.close()
    print("Hello", user["name"])


if __name__ == "__main__":
    main()
