"""The English of the documents and of the source: US spelling, and none of the words that plain English replaces.

A relative clause without a noun ("who waits looks") and "left out" for "defaults to" make a reader stop. The source may
still have some of them; the number may only fall.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")),
    *(page for page in (ROOT / "docs").rglob("*.md") if not page.name.startswith("bench")),
]
FRAGMENTS = list((ROOT / "changelog.d").glob("*.md"))
VAGUE = re.compile(
    r"\b(whoever|whomever|somebody|nobody|everybody|anybody|left out|who (waits|leads|asks|is told))\b", re.I
)
BRITISH = re.compile(
    r"\b(\w*(behaviour|recognis|normalis|serialis|initialis|authoris|favour|honour|colour|catalogue)\w*|(mis)?spelt|whilst)\b"
    r"|\bcancelled\b(?!`)",
    re.I,
)
RIDDLE = re.compile(
    r"\b(afresh|whatever|to be had|set aside|at hand|to whom|asked whether|said so|the usual ones?|the ones that"
    r"|what (is no|asks|needs|says|sends)|who (knows|needs|says|sends|wants)|(is|are) (to be|told)"
    r"|sound (key|token))\b",
    re.I,
)
"""Phrases that revisions of the words removed. They may not come back."""
SOURCE_LIMIT = 19


def found(pattern: re.Pattern[str], path: Path) -> list[str]:
    """Return where the pattern occurs, code blocks of pages excluded."""
    text = path.read_text("utf-8")
    if path.suffix == ".md":
        text = re.sub(r"^```.*?^```", lambda block: "\n" * block[0].count("\n"), text, flags=re.DOTALL | re.MULTILINE)
    lines = enumerate(text.splitlines(), 1)
    return [
        f"{path.relative_to(ROOT)}:{number}: {match[0]}" for number, line in lines for match in pattern.finditer(line)
    ]


def prose_in(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the comments and the lines of the docstrings of a Python file, with their numbers."""
    source = path.read_text("utf-8")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield from enumerate(node.value.value.splitlines(), node.lineno)


@pytest.mark.parametrize("page", [*PAGES, *FRAGMENTS], ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_its_subjects_and_is_spelled_in_one_way(page: Path) -> None:
    assert [*found(VAGUE, page), *found(BRITISH, page), *found(RIDDLE, page)] == []


def test_the_source_names_its_subjects() -> None:
    places = [place for path in (ROOT / "src").rglob("*.py") for place in found(VAGUE, path)]
    assert len(places) < SOURCE_LIMIT, "\n".join(places)
    assert [place for path in (ROOT / "src").rglob("*.py") for place in found(RIDDLE, path)] == []


@pytest.mark.parametrize("folder", ["tests", "tools", "bench", "demo", "examples"])
def test_comments_and_docstrings_outside_the_package_name_their_subjects(folder: str) -> None:
    assert [
        f"{path.relative_to(ROOT)}:{number}: {match[0]}"
        for path in (ROOT / folder).rglob("*.py")
        if path != Path(__file__)
        for number, line in prose_in(path)
        for pattern in (VAGUE, BRITISH, RIDDLE)
        for match in pattern.finditer(line)
    ] == []


def test_the_words_are_recognized() -> None:
    assert [text for text in ("Who waits looks", "left out", "whoever") if not VAGUE.search(text)] == []
    assert [text for text in ("behaviour", "cancelled", "misspelt") if not BRITISH.search(text)] == []
    assert [text for text in ("Whatever", "what asks", "is to be") if not RIDDLE.search(text)] == []
    assert not VAGUE.search("the user who has logged in")
    assert not RIDDLE.search("the client that sends the request")
    assert not BRITISH.search("the error is `cancelled`")
