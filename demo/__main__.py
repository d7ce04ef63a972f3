"""Run the demo: `./dev demo`, or `./dev demo --keycloak`. Exits with 0 only if every step held."""

from __future__ import annotations

import argparse
import os
import sys

from rich.console import Console

from demo.embedded import embedded
from demo.show import run_step, summary
from demo.steps import STEPS


def main() -> int:
    """Read the command line, run every step."""
    parser = argparse.ArgumentParser(prog="./dev demo", description="The main job of doorkey, step by step.")
    parser.add_argument("--keycloak", action="store_true", help="on a real Keycloak, installed at the first run")
    options = parser.parse_args()
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"  # all of it happens on this machine
    console = Console(highlight=False)
    if not options.keycloak:
        with embedded() as place:
            held = [run_step(number, step, place, console) for number, step in enumerate(STEPS, 1)]
            summary(held, place, console)
        return int(not all(held))

    from demo.keycloak import keycloak
    from tests.servers.process import Unavailable

    console.print("Starting Keycloak; the first run on a machine downloads it.")
    try:
        with keycloak() as place:
            held = [run_step(number, step, place, console) for number, step in enumerate(STEPS, 1)]
            summary(held, place, console)
    except Unavailable as error:
        console.print(f"Keycloak cannot run here: {error}", style="red", markup=False)
        return 1
    return int(not all(held))


if __name__ == "__main__":
    sys.exit(main())
