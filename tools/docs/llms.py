"""Writes `llms.txt` and `llms-full.txt`, the list of pages and their text, for programs that read documentation."""

from __future__ import annotations

import re
from pathlib import Path

HEADING = re.compile(r"^# (.+)$", re.MULTILINE)
NAVIGATION = re.compile(r"^ +- (?:\"[^\"]*\"|[^:]*): ([\w./-]+\.md)$", re.MULTILINE)


NOT_IN_FULL = ("reference/", "changelog", "contributing")
"""Pages that are not in the full text, because it would be twice as long."""


def write(config: Path) -> None:
    """Write both files beside the pages of the staged `config`."""
    docs = config.parent / "docs"
    names = NAVIGATION.findall(config.read_text("utf-8"))
    texts = {name: (docs / name).read_text("utf-8") for name in names}
    lines = [f"- [{title(text)}]({name}): {summary(text)}" for name, text in texts.items()]
    head = f"# doorkey\n\n> {summary(texts['index.md'])}\n\n"
    (docs / "llms.txt").write_text(head + "## Pages\n\n" + "\n".join(lines) + "\n", "utf-8")
    by_hand = [f"<!-- {name} -->\n\n{text}" for name, text in texts.items() if not name.startswith(NOT_IN_FULL)]
    (docs / "llms-full.txt").write_text(head + "\n".join(by_hand), "utf-8")


def title(text: str) -> str:
    """Return the heading of a page."""
    found = HEADING.search(text)
    return found[1].replace("`", "") if found else ""


def summary(text: str) -> str:
    """Return the first sentence of a page, without links and markup."""
    blocks = re.sub(r"^```.*?^```|<figure.*?</figure>|<picture.*?</picture>", "", text, flags=re.DOTALL | re.MULTILINE)
    for block in blocks.split("\n\n"):
        if block.strip() and not re.match(r"\s*([#|<!-]|```)|    ", block):
            plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(block.split()))
            return re.split(r"(?<=\.)\s", plain)[0].rstrip(":")
    return ""
