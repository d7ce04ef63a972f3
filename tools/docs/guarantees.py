"""The page of limits and negative tests: each guarantee of SECURITY.md with the tests that hold it."""

from __future__ import annotations

import ast
import pkgutil
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.advisories.test_every_advisory import ADVISORIES
from tools.docs.docstrings import table
from tools.running import ROOT

PAGE = "security-tests.md"
TITLE = "Limits and negative tests"
FILE = Path(__file__).with_name("guarantees.toml")
SECTIONS = ("Limits", "Guarantees")
TESTS = ROOT / "tests"

INTRO = (
    "[Security](security.md) states what doorkey guarantees. This page lists the limits, as the code has them, and the "
    "tests that fail if a guarantee does not hold: each of them is an attack or a fault that must be rejected.\n"
)


@dataclass(frozen=True, slots=True)
class Guarantee:
    """One line of SECURITY.md, and the tests that hold it: `path::name`, the path below tests/."""

    text: str
    tests: tuple[str, ...]


@cache
def read() -> dict[str, list[dict[str, Any]]]:
    """Return the content of `guarantees.toml`: the guarantees with their tests, and the limits."""
    return tomllib.loads(FILE.read_text("utf-8"))


@cache
def lines() -> tuple[str, ...]:
    """Return the guarantees of SECURITY.md, each as one line."""
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    sections = [text.split(f"\n## {name}\n", 1)[1].split("\n## ", 1)[0] for name in SECTIONS]
    without_headings = [re.sub(r"^### .*$", "", one, flags=re.MULTILINE) for one in sections]
    return tuple(
        " ".join(line.split()) for one in without_headings for line in re.split(r"^- ", one, flags=re.MULTILINE)[1:]
    )


def guarantees() -> list[Guarantee]:
    """Return the guarantees in the order of SECURITY.md. A guarantee that is not in the file has no tests."""
    named = [(entry["line"], tuple(entry["tests"])) for entry in read()["guarantee"]]
    return [Guarantee(line, tuple(t for start, ts in named if line.startswith(start) for t in ts)) for line in lines()]


def unknown_lines() -> list[str]:
    """Return the entries of the file with which no line of SECURITY.md begins."""
    begins = [entry["line"] for entry in read()["guarantee"]]
    return [begin for begin in begins if not any(line.startswith(begin) for line in lines())]


def exists(test: str) -> bool:
    """Return whether the test `path::name` exists."""
    path, _, name = test.partition("::")
    file = TESTS / path
    return file.is_file() and name in functions(file)


@cache
def functions(file: Path) -> dict[str, str]:
    """Return the tests of a file with the first line of their docstrings."""
    found: dict[str, str] = {}
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            found[node.name] = (ast.get_docstring(node) or "").split("\n")[0]
    return found


def limits() -> list[tuple[str, str, str]]:
    """Return the subject of each limit, its value in the code, and the name of the constant."""
    entries = read()["limit"]
    return [(one["what"], quantity(constant(one["where"]), one["unit"]), one["where"]) for one in entries]


def constant(where: str) -> Any:
    """Return the value of a constant, or the default of a field of a dataclass."""
    owner, _, name = where.rpartition(".")
    found: Any = pkgutil.resolve_name(owner)
    fields: dict[str, Any] = getattr(found, "__dataclass_fields__", {})
    return fields[name].default if name in fields else getattr(found, name)


def quantity(value: Any, unit: str) -> str:
    """Return a number with its unit. Bytes are in KiB or MiB if that is an integer."""
    if unit == "bytes" and value >= 1024 and value % 1024 == 0:
        return f"{value // 1024**2:,} MiB" if value % 1024**2 == 0 else f"{value // 1024:,} KiB"
    return f"{value:,.10g} {unit}"


def sentence(test: str) -> str:
    """Return the name of a test as words, and its file."""
    path, _, name = test.partition("::")
    return f"{name.removeprefix('test_').replace('_', ' ')} (`tests/{path}`)"


def advisories() -> list[tuple[str, str]]:
    """Return each advisory with the tests that are named after it."""
    files = sorted((TESTS / "advisories").glob("test_*.py"))
    names = {name: f"advisories/{file.name}::{name}" for file in files for name in functions(file)}
    found: list[tuple[str, str]] = []
    for advisory in ADVISORIES:
        key = advisory.lower().replace("-", "_")
        found.append((advisory, "<br>".join(sentence(test) for name, test in sorted(names.items()) if key in name)))
    return found


def page() -> str:
    """Return the page of limits and negative tests."""
    rows = [(what, most, f"`{where.removeprefix('doorkey.')}`") for what, most, where in limits()]
    parts = [
        f"# {TITLE}\n",
        INTRO,
        "## Limits\n",
        table(("what", "at most", "constant"), rows),
        "## Guarantees and their tests\n",
    ]
    for guarantee in guarantees():
        parts.append(f"- {guarantee.text}\n")
        parts += [f"    - {sentence(test)}" for test in guarantee.tests]
        parts.append("")
    parts += ["## Advisories of other libraries\n", "Each of these faults has a test that is named after it.\n"]
    parts.append(table(("advisory", "tests"), advisories()))
    return "\n".join(parts)
