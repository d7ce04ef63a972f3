"""Checks that the distributions contain only the package, and a page that a package index can show."""

from __future__ import annotations

import email
import re
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from email.message import Message
from pathlib import Path

from tools.dist.building import Built

BASE = {"joserfc", "cryptography"}
"""The packages that `pip install doorkey` installs in addition to doorkey, without their dependencies."""
EXTRAS = {"server", "dev", "cli", "all", "requests", "httpx2", "httpx"}
PARTS = ("src/doorkey/py.typed", "tests/conftest.py", "docs/sessions.md", "requirements/lowest.txt", "dev", "LICENSE")

_DEVELOPMENT = re.compile(r"doorkey \d[\d.]*\.dev\d+")
_RELATIVE = re.compile(r"\]\((?!https?://|#|mailto:)[^)]*\)")


def problems(built: Built, tracked: Iterable[str], version: str) -> Iterator[str]:
    """Yield a message for each fault of the distributions.

    tracked: the files that belong in the source distribution. version: the version of the package.
    """
    known = set(tracked)
    sources = {name.removeprefix("src/") for name in known if name.startswith("src/")}
    with zipfile.ZipFile(built.wheel) as wheel:
        names = set(wheel.namelist())
        info = f"doorkey-{version}.dist-info"
        yield from (f"the wheel lacks {name}" for name in sorted(sources - names))
        others = {name for name in names - sources if not name.startswith(f"{info}/")}
        yield from (f"the wheel has {name}, which is not part of the package" for name in sorted(others))
        if f"{info}/METADATA" not in names:
            yield f"the wheel is not of version {version}"
            return
        metadata = email.message_from_bytes(wheel.read(f"{info}/METADATA"))
    with tarfile.open(built.sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames() if not archive.getmember(name).isdir()}
    yield from (f"the source distribution lacks {name}" for name in sorted((known | set(PARTS)) - packed))
    yield from (f"the source distribution has {name}" for name in sorted(packed - known - {"PKG-INFO"}))
    yield from _metadata_problems(metadata, version)


def required_by(wheel: Path) -> list[str]:
    """Return the requirements of a wheel, including those of its extras."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name)).get_all("Requires-Dist", [])


def _metadata_problems(metadata: Message, version: str) -> Iterator[str]:
    wanted = {
        "Name": "doorkey",
        "Version": version,
        "Requires-Python": ">=3.11",
        "License-Expression": "BSD-3-Clause",
        "License-File": "LICENSE",
        "Description-Content-Type": "text/markdown",
    }
    for name, value in wanted.items():
        if metadata[name] != value:
            yield f"{name} of the metadata is {metadata[name]!r}, not {value!r}"
    required = metadata.get_all("Requires-Dist", [])
    base = {re.split(r"[^A-Za-z0-9_.-]", line)[0] for line in required if "extra ==" not in line}
    if base != BASE:
        yield f"the package alone requires {', '.join(sorted(base))}"
    missing = EXTRAS - set(metadata.get_all("Provides-Extra", []))
    yield from (f"there is no extra {name}" for name in sorted(missing))
    of_extras = [line.partition(";")[0] for line in required if "extra ==" in line and "'all'" not in line]
    of_all = {line.partition(";")[0] for line in required if "extra == 'all'" in line}
    yield from (f"the extra all lacks {one}" for one in sorted(set(of_extras) - of_all))
    page = str(metadata.get_payload())
    if ".dev" not in version and (development := _DEVELOPMENT.search(page)):
        yield f"the page of version {version} has figures of {development[0]}: ./dev demo --readme measures them again"
    yield from (f"a package index has no file for the link {link[0]}" for link in _RELATIVE.finditer(page))
    if not page.lstrip().startswith("# doorkey"):
        yield "the page of the package index is not README.md"
