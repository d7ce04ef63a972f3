"""`./dev docs`: build the site into build/docs/site, check it, and serve it on the loopback interface."""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import shutil
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tools.docs import errors, guarantees, llms, options, reference
from tools.docs.charts import with_charts
from tools.docs.links import problems
from tools.docs.staging import OF_THE_ROOT, STAGED, stage
from tools.running import ROOT, say

PORT = 8800
STAMP = STAGED / "stamp"
MADE_FROM = ("docs", "src", "tests", "tools")
PROJECT = [("Contributing", "contributing.md"), ("Changes", "changelog.md")]


def staged(folder: Path = STAGED) -> Path:
    """Write all pages, including those generated from the code, below `folder`, and return the path of mkdocs.yml."""
    sections = {
        "reference": [(options.TITLE, options.PAGE), (errors.TITLE, errors.PAGE), *reference.navigation()],
        "security": [("Security", "security.md"), (guarantees.TITLE, guarantees.PAGE)],
        "project": PROJECT,
    }
    pages = {**reference.pages(), options.PAGE: options.page(), errors.PAGE: errors.page()}
    pages[guarantees.PAGE] = guarantees.page()
    config = stage(pages, sections, folder)
    for measured in (config.parent / "docs").glob("bench*.md"):
        measured.write_text(with_charts(measured.read_text("utf-8")), "utf-8")
    llms.write(config)
    return config


def build(config: Path) -> Path | None:
    """Build the site beside `config` and return its folder, or print the faults of the site and return None."""
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "--config-file", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    site = config.parent / "site"
    faults = problems(site) if site.is_dir() else []
    if not done.returncode and not faults:
        for page in (config.parent / "docs").rglob("*.md"):  # beside its HTML, for the links of llms.txt
            shutil.copy(page, site / page.relative_to(config.parent / "docs"))
        return site
    print(done.stdout, done.stderr.partition("Traceback")[0], *faults, sep="\n", file=sys.stderr)
    say("correct the faults above: pages are below docs/, and those of reference/ are generated from docstrings")
    return None


def once() -> Path | None:
    """Return the folder of the site, or None if it has a fault. It is built only if a file has changed since the last
    build, because `./dev check` and the tests need the same site, and a build takes 10 s of CPU.
    """
    STAGED.parent.mkdir(exist_ok=True)
    with STAGED.with_name("docs.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made_from = _digest()
        if not STAMP.exists() or STAMP.read_text("utf-8") != made_from:
            if build(staged()) is None:
                return None
            STAMP.write_text(made_from, "utf-8")
    return STAGED / "site"


def _digest() -> str:
    """Return a digest of the names and contents of all files that determine the pages."""
    files = [
        file for folder in MADE_FROM for file in sorted((ROOT / folder).rglob("*")) if "__pycache__" not in file.parts
    ]
    made_from = hashlib.sha256()
    for file in (*files, *(ROOT / name for name in (*OF_THE_ROOT, "mkdocs.yml", "requirements/docs.txt"))):
        if file.is_file():
            made_from.update(f"{file.relative_to(ROOT)}\0{file.stat().st_size}\0".encode() + file.read_bytes())
    return made_from.hexdigest()


def main() -> int:
    """Build the site, and serve it unless `--build` is given."""
    parser = argparse.ArgumentParser(prog="./dev docs", description="Build the documentation, and serve it.")
    parser.add_argument("--build", action="store_true", help="only build")
    parser.add_argument("--port", type=int, default=PORT, help=f"on 127.0.0.1; defaults to {PORT}")
    options = parser.parse_args()
    site = once()
    if site is None:
        return 1
    say(f"the site is in {site}")
    if options.build:
        return 0
    handler = partial(SimpleHTTPRequestHandler, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", options.port), handler) as server:
        say(f"serving http://127.0.0.1:{server.server_port}/")
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
