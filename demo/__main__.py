"""Run the demo: `./dev demo`, or `./dev demo --keycloak`. Exits with 0 only if every step succeeded."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import AbstractContextManager
from pathlib import Path

from rich.console import Console

from demo.embedded import embedded
from demo.fleet import fleet
from demo.picture import svg_of, write_table
from demo.place import Place
from demo.show import WIDTH, run_step, summary
from demo.steps import STEPS
from demo.threads import measure

README = Path(__file__).resolve().parents[1] / "README.md"


def main() -> int:
    """Read the command line and run every step. Return 0 if all succeeded, otherwise 1."""
    parser = argparse.ArgumentParser(prog="./dev demo", description="The main job of doorkey, step by step.")
    parser.add_argument("--keycloak", action="store_true", help="on a real Keycloak, installed at the first run")
    parser.add_argument("--svg", metavar="FILE", type=Path, help="also write a picture of the run")
    parser.add_argument("--readme", action="store_true", help="only measure step 1, and write its table to README.md")
    options = parser.parse_args()
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"  # all servers are on this machine
    if options.readme:
        with embedded() as place:
            write_table(README, measure(place))
        return 0
    console = Console(highlight=False, record=options.svg is not None)
    console.width = WIDTH if options.svg else min(console.width, WIDTH)
    held = _on_keycloak(console) if options.keycloak else run(embedded(), console)
    if options.svg is not None:
        options.svg.write_text(svg_of(console), "utf-8")
    return int(not all(held))


def run(where: AbstractContextManager[Place], console: Console) -> list[bool]:
    """Run every step at a place, and return whether each succeeded."""
    with fleet() as workers, where as place:
        held = [run_step(number, step, place, workers, console) for number, step in enumerate(STEPS, 1)]
        summary(held, place, console)
    return held


def _on_keycloak(console: Console) -> list[bool]:
    from demo.keycloak import keycloak
    from tests.servers.process import Unavailable

    console.print("Starting Keycloak; the first run on a machine downloads it.")
    try:
        return run(keycloak(), console)
    except Unavailable as error:
        console.print(f"Keycloak cannot run here: {error}", style="red", markup=False)
        return [False]


if __name__ == "__main__":
    sys.exit(main())
