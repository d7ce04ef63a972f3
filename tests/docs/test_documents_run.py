"""Every Python block of the README and the documents runs, on the embedded provider, in the order of the page."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from doorkey.dev import Provider

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
WITH_CODE = [page for page in PAGES if BLOCK.search(page.read_text("utf-8"))]


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.name)
def test_every_block_of_the_page_runs(page: Path, provider: Provider) -> None:
    text = page.read_text("utf-8")
    names: dict[str, Any] = {"__name__": page.stem}
    for block in BLOCK.finditer(text):
        line = text.count("\n", 0, block.start()) + 1
        source = block[1].replace("http://localhost:8080", f"http://localhost:{provider.port}")
        exec(compile("\n" * line + source, str(page), "exec", dont_inherit=True), names)  # noqa: S102  # our own documents
        if "async def main" in source:
            asyncio.run(names["main"]())
    for value in names.values():
        if hasattr(value, "fetch_token") and not isinstance(value, type):
            value.close()


def test_the_pages_that_the_readme_names_are_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / "README.md").read_text("utf-8"))
    assert links
    missing = [link for link in links if not (ROOT / link).exists() and link != "docs/bench.md"]
    assert missing == []
