"""Measure and print: `./dev bench`. With `--write`, the table is also written to docs/bench.md."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from bench import (
    concurrency,
    httpx2_async,
    httpx2_sync,
    httpx_oauth2,
    import_time,
    renewals_loops,
    renewals_tasks,
    renewals_threads,
    requests_session,
    token_requests,
)
from bench.peers import set_environment
from bench.row import Row, exit_status
from bench.server import serving
from bench.table import markdown, show

PAGE = Path(__file__).resolve().parents[1] / "docs" / "bench.md"

MEASUREMENTS = {
    "httpx2": httpx2_sync.measure,
    "async": httpx2_async.measure,
    "requests": requests_session.measure,
    "token": token_requests.measure,
    "import": import_time.measure,
    "threads": renewals_threads.measure,
    "tasks": renewals_tasks.measure,
    "loops": renewals_loops.measure,
    "concurrency": concurrency.measure,
    "httpx-oauth2": httpx_oauth2.measure,
}


def main() -> int:
    """Measure, print, and with `--write` write the page. Return 1 if a target is not met."""
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("only", nargs="*", choices=[*MEASUREMENTS, []], help="these measurements; default: all")
    parser.add_argument("--write", action="store_true", help="write the page in docs/, and its pictures")
    parser.add_argument("--effort", type=float, default=1.0, help="factor on the number of rounds (1.0)")
    parser.add_argument("--stores", action="store_true", help="measure the stores; takes 4 GB of memory and of disk")
    parser.add_argument("--verify", action="store_true", help="measure token verification; takes half a minute")
    parser.add_argument("--login", action="store_true", help="measure logins and API requests of web programs")
    options = parser.parse_args()
    console = Console()
    if options.stores:
        from bench import stores

        return stores.main(options.effort, console, page=options.write)
    if options.verify:
        from bench import verify

        return verify.main(options.effort, console, page=options.write)
    if options.login:
        from bench import login

        return login.main(options.effort, console, page=options.write)
    rows: list[Row] = []
    with serving() as served:
        for name in options.only or MEASUREMENTS:
            console.print(f"measuring: {name}", style="dim")
            rows += MEASUREMENTS[name](served, options.effort)
    show(rows, console)
    if options.write:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(markdown(rows), encoding="utf-8")
    return exit_status(rows)


if __name__ == "__main__":
    set_environment()
    sys.exit(main())
