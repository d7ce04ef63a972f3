"""What docs/architecture.md says of the code is true of the code."""

from __future__ import annotations

import re

import pytest

from tests.test_layers import FILES, LAYERS, SRC

ROOT = SRC.parent
PACKAGE = SRC / "doorkey"
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
SPAN = re.compile(r"`([^`\s]+)`")


def section(heading: str) -> str:
    """The text from a heading to the next one of its level."""
    return PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def cells(text: str, column: int) -> list[str]:
    """What stands in a column of the section's tables, without their heads."""
    rows = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [row[column] for row in rows if row[0].strip() not in {"layer", "question"}]


def modules_of(path: str) -> set[str]:
    """The names of the modules at a path below the package, which may have `*`; of a folder, the folder's own."""
    found = [PACKAGE] if path == "__init__.py" else list(PACKAGE.glob(path.rstrip("/")))
    names = {".".join(one.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__") for one in found}
    return names & (FILES.keys() | {"doorkey"})


def test_the_table_of_layers_is_the_list_that_imports_are_checked_against() -> None:
    rows = [set[str]().union(*map(modules_of, SPAN.findall(cell))) for cell in cells(section("Layers"), 1)]
    layers = [set(layer) for layer in LAYERS]
    for row in rows:  # a row is one layer, or several that follow each other
        told: set[str] = set()
        while told < row and layers:
            told |= layers.pop(0)
        assert row == told
    assert layers == []


def test_the_page_names_every_folder_in_at_most_40_rows() -> None:
    rows = cells(section("Where things live"), 1)
    assert len(rows) <= 40
    named = {path.split("/")[0] for cell in rows for path in SPAN.findall(cell)}
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders - named == {"oauth2", "common"}  # import paths, and helpers that have one page of their own


CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
OURS = [path for folder in ("src", "tests", "tools", "bench") for path in (ROOT / folder).rglob("*.py")]


@pytest.mark.parametrize("text", [PAGE, CONTRIBUTING], ids=["architecture", "contributing"])
def test_every_path_that_the_page_names_is_there(text: str) -> None:
    paths = [path for path in SPAN.findall(text) if re.fullmatch(r"[\w*./]*\w[\w*]*(\.(py|md|txt|in)|/)", path)]
    assert len(paths) > 5
    places = (PACKAGE, SRC, ROOT)
    made = {".venv/", "build/docs/site/", "8.added.2.md", "artifacts/screenshots/"}
    assert [
        path for path in paths if path not in made and not any([*place.glob(path.rstrip("/"))] for place in places)
    ] == []


def test_every_name_that_the_pages_use_is_in_the_code() -> None:
    """A name is `CamelCase`, `snake_case` or `a.path.of.names`, with its arguments or without."""
    names = re.findall(r"`(\w+(?:\.\w+)*)(?:\([^`]*\))?`", PAGE + CONTRIBUTING)
    checked = {
        part for name in names for part in name.split(".") if re.search(r"[a-z]_[a-z]|^_|^[A-Z][a-z]+[A-Z]", part)
    }
    assert len(checked) > 30
    words = set(
        re.findall(r"\w+", "\n".join(path.read_text("utf-8") for path in OURS if path.name != "test_architecture.py"))
    )
    assert checked - words == set()
