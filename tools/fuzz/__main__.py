"""`./dev fuzz [--seconds N] [TARGET …]`: run each target with atheris, which mutates inputs guided by line coverage.

libFuzzer ends its process, so each target runs in its own process. Inputs that reach new lines are kept in a cache
folder for the next run. An input that makes a target fail is written next to them, and the name of its file is printed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from tools.running import ROOT, say

_ONE = "--in-this-process"


def main(arguments: list[str]) -> int:
    """Fuzz the named targets, or all of them, and return 1 if one has failed."""
    if arguments[:1] == [_ONE]:
        return _fuzz(*arguments[1:])
    from tools.fuzz.seeds import SEEDS  # the process that fuzzes must import doorkey with instrumentation

    parser = argparse.ArgumentParser(prog="./dev fuzz")
    parser.add_argument("--seconds", type=int, default=60, help="for each target; defaults to 60")
    parser.add_argument("--inputs", type=int, help="number of inputs instead of --seconds; the same in each run")
    parser.add_argument("--corpus", type=Path, default=_cache(), help="the folder for inputs that reach new lines")
    parser.add_argument("targets", nargs="*", choices=[*SEEDS, []], metavar="TARGET", help=", ".join(SEEDS))
    options = parser.parse_args(arguments)
    limit, shown = f"-max_total_time={options.seconds}", f"for {options.seconds} seconds"
    if options.inputs is not None:
        limit, shown = f"-runs={options.inputs}", f"with {options.inputs} inputs"
    failed: list[str] = []
    for name in options.targets or SEEDS:
        say(f"fuzzing {name} {shown}")
        corpus = options.corpus / name
        corpus.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as seeds:
            for number, seed in enumerate(SEEDS[name]):
                Path(seeds, str(number)).write_bytes(seed)
            command = [sys.executable, "-m", "tools.fuzz", _ONE, name, str(corpus), seeds, limit]
            if subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode:
                failed.append(name)
    say(f"failed: {', '.join(failed)}" if failed else "no target has failed")
    return int(bool(failed))


def _fuzz(name: str, corpus: str, seeds: str, limit: str) -> int:
    """Fuzz one target until libFuzzer ends this process."""
    atheris = import_module("atheris")
    with atheris.instrument_imports(include=["doorkey", "joserfc", "json", "urllib"]):
        targets = import_module("tools.fuzz.targets").TARGETS
    artifacts = Path(corpus).parent / f"failed-{name}-"
    options = [
        limit,
        *(["-seed=1"] if limit.startswith("-runs") else []),
        "-timeout=10",
        "-rss_limit_mb=1024",
        "-max_len=8192",
        "-verbosity=0",
        "-print_final_stats=1",
    ]
    atheris.Setup(["tools.fuzz", *options, f"-artifact_prefix={artifacts}", corpus, seeds], targets[name])
    atheris.Fuzz()
    return 0


def _cache() -> Path:
    return Path(os.environ.get("DOORKEY_CACHE") or Path.home() / ".cache" / "doorkey") / "fuzz"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
