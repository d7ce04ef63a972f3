"""Ask the real Keycloak every scenario and write keycloak.json beside this file. `./dev record` runs it."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tests.recordings.compare import RECORDED
from tests.recordings.realm import Realm
from tests.recordings.scenarios import SCENARIOS, run
from tests.servers.keycloak import VERSION
from tests.servers.process import Unavailable
from tests.servers.running import started


def answers(origin: str, keys: Path) -> dict[str, dict[str, Any]]:
    """Every scenario, in the order of the files."""
    with Realm(origin).http as http:
        realm = Realm(origin, http=http, keys=keys)
        return {name: run(name, realm) for name in SCENARIOS}


def main() -> int:
    """Read the command line, and record."""
    parser = argparse.ArgumentParser(prog="./dev record", description=__doc__)
    parser.add_argument("--origin", help="of a Keycloak that runs already, in place of one of our own")
    parser.add_argument("--keys", type=Path, help="the folder with the private keys of its clients")
    options = parser.parse_args()
    if bool(options.origin) != bool(options.keys):
        parser.error("--origin and --keys go together")
    try:
        if options.origin:
            told = answers(options.origin, options.keys)
        else:
            with started("keycloak") as server:
                told = answers(server.origin, server.keys)
    except Unavailable as error:
        sys.exit(f"./dev record: keycloak: {error}")
    text = json.dumps({"server": f"Keycloak {VERSION}", "answers": told}, indent=1, ensure_ascii=False)
    RECORDED.write_text(text + "\n")
    print(f"{len(told)} answers written to {RECORDED.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
