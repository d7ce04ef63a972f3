"""Building the distributions: from the files that git tracks, with the time of the last commit as their timestamp."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools.running import ROOT

EPOCH = "SOURCE_DATE_EPOCH"


@dataclass(frozen=True, slots=True)
class Built:
    """The two distributions of one build."""

    wheel: Path
    sdist: Path


class NotReproducible(Exception):
    """Two builds of the same files differ."""


def build(python: Path, out: Path) -> Built:
    """Build both distributions into `out`, and a second time from the unpacked source distribution.

    python: an interpreter with hatchling. Raises `NotReproducible` if the second build has other bytes, because a file
    is missing in the source distribution, or a build depends on its folder or time.
    """
    with tempfile.TemporaryDirectory() as temporary:
        first = _built(python, _tracked(Path(temporary) / "tracked"), out)
        with tarfile.open(first.sdist) as archive:
            archive.extractall(Path(temporary) / "unpacked", filter="data")
        (source,) = (Path(temporary) / "unpacked").iterdir()
        second = _built(python, source, Path(temporary) / "again")
        for one, other in ((first.wheel, second.wheel), (first.sdist, second.sdist)):
            if one.read_bytes() != other.read_bytes():
                raise NotReproducible(f"{one.name} has other bytes when it is built from {first.sdist.name}")
    return first


def epoch() -> str:
    """Return the variable SOURCE_DATE_EPOCH if it is set, otherwise the time of the last commit in seconds."""
    if EPOCH in os.environ:
        return os.environ[EPOCH]
    return _git("log", "-1", "--format=%ct").strip()


def tracked() -> list[str]:
    """Return the files of the working tree that git tracks."""
    return [name for name in _git("ls-files", "-z").split("\0") if name and (ROOT / name).is_file()]


def _tracked(folder: Path) -> Path:
    """Copy the tracked files into `folder`, because other files do not belong in a distribution."""
    for name in tracked():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    return folder


def _built(python: Path, source: Path, out: Path) -> Built:
    command: list[str | Path] = [python, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", out.resolve()]
    subprocess.run(
        command, cwd=source, env={**os.environ, EPOCH: epoch()}, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    return latest(out)


def latest(out: Path) -> Built:
    """Return the distributions in `out` that were built last, by modification time."""
    names = sorted(out.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    wheel = [path for path in names if path.suffix == ".whl"][-1]
    return Built(wheel, [path for path in names if path.name.endswith(".tar.gz")][-1])


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout
