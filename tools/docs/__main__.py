"""`./dev docs`: build the site into build/docs/site, check it, and serve it on the loopback interface."""

from __future__ import annotations

import argparse
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tools.docs.links import problems
from tools.docs.staging import STAGED, Pages, stage
from tools.running import say

PORT = 8800
PROJECT = [("Security", "security.md"), ("Contributing", "contributing.md"), ("Changes", "changelog.md")]


def build(folder: Path = STAGED, more: Pages | None = None) -> Path | None:
    """Build the site below `folder`, and return its own folder, or None after a message if the site has a fault."""
    config = stage(more or {}, {"project": PROJECT}, folder)
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "--config-file", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    site = config.parent / "site"
    if done.returncode:
        print(done.stdout, done.stderr.partition("Traceback")[0], file=sys.stderr)
        say("zensical found the faults above: each names the page below docs/ and its line")
        return None
    if faults := problems(site):
        print(*faults, sep="\n", file=sys.stderr)
        say("correct the links above, or the page that they name")
        return None
    return site


def main() -> int:
    """Build, and serve without `--build`."""
    parser = argparse.ArgumentParser(prog="./dev docs", description="Build the documentation, and serve it.")
    parser.add_argument("--build", action="store_true", help="only build")
    parser.add_argument("--port", type=int, default=PORT, help=f"on 127.0.0.1; defaults to {PORT}")
    options = parser.parse_args()
    site = build()
    if site is None:
        return 1
    say(f"built {site}")
    if options.build:
        return 0
    handler = partial(SimpleHTTPRequestHandler, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", options.port), handler) as server:
        say(f"serving http://127.0.0.1:{server.server_port}/")
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
