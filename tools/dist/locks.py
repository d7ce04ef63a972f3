"""Subsets of the pinned requirements: some packages and their dependencies, each with its hashes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_PYTHONS = [f"3.{minor}" for minor in range(11, 31)]
"""A requirement whose marker fits one of these Pythons is kept with its marker, which pip evaluates."""


def blocks(*files: Path) -> dict[str, str]:
    """Return the pinned requirements of lock files by name, with their markers and hashes. The first file has priority.

    A package with several versions, each with a marker for some Pythons, has all of them in one text.
    """
    found: dict[str, str] = {}
    for file in files:
        of_file: dict[str, list[str]] = {}
        for block in re.split(r"\n(?=\S)", file.read_text("utf-8").strip()):
            if match := _NAME.match(block):
                of_file.setdefault(canonicalize_name(match[0]), []).append(block)
        found = {name: "\n".join(several) for name, several in of_file.items()} | found
    return found


def closure(roots: Iterable[str], locked: Mapping[str, str], own: Iterable[str] = ()) -> str:
    """Return the pinned requirements of `roots` and all their dependencies, as the text of a requirements file.

    locked: the result of `blocks`. own: the requirements of the distribution itself (`Requires-Dist`), whose extras
    `roots` may name, for instance `doorkey[requests]`.
    """
    wanted: dict[str, str] = {}
    pending = [Requirement(root) for root in roots]
    seen: set[tuple[str, str]] = set()
    while pending:
        requirement = pending.pop()
        name = canonicalize_name(requirement.name)
        if name in locked:
            wanted[name] = locked[name]
        for extra in ("", *requirement.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                pending += [one for one in _needs(name, own) if _is_for(one, extra)]
    return "\n".join(wanted[name] for name in sorted(wanted)) + "\n"


def versions(file: Path) -> str:
    """Return the requirements of a lock file with their versions and markers but without hashes, one on each line."""
    lines = "\n".join(blocks(file).values()).splitlines()
    return "".join(line.partition(" \\")[0] + "\n" for line in lines if _NAME.match(line))


def file_line(file: Path, extras: str = "") -> str:
    """Return the line of a requirements file that installs a distribution with `extras` (`[requests]`), by its hash."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return f"doorkey{extras} @ {file.resolve().as_uri()} --hash=sha256:{digest}\n"


def _needs(name: str, own: Iterable[str]) -> list[Requirement]:
    if name == "doorkey":
        return [Requirement(line) for line in own]
    try:
        return [Requirement(line) for line in metadata.requires(name) or ()]
    except metadata.PackageNotFoundError:  # for another platform or Python
        return []


def _is_for(requirement: Requirement, extra: str) -> bool:
    """Return whether a requirement belongs to `extra` on any Python; if `extra` is empty, whether it has no extra."""
    marker = requirement.marker
    if marker is None:
        return not extra
    if bool(extra) != ("extra ==" in str(marker)):
        return False
    return any(
        marker.evaluate({"python_version": version, "python_full_version": f"{version}.0", "extra": extra})
        for version in _PYTHONS
    )
