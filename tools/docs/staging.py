"""The folder from which the site is built: pages of docs/, of the repository's root, and generated from the code."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from tools.running import ROOT

STAGED = ROOT / "build" / "docs"
OF_THE_ROOT = {"SECURITY.md": "security.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
"""Pages of the repository's root, and their names on the site."""

Pages = Mapping[str, str]
"""Markdown by path below docs/."""

PLACE = re.compile(r"^( +)# generated: (\w+)\n", re.MULTILINE)


def stage(generated: Pages, sections: Mapping[str, list[tuple[str, str]]], folder: Path = STAGED) -> Path:
    """Write mkdocs.yml and every page into `folder`, and return the path of mkdocs.yml.

    `sections` has the (title, path) of the generated pages that the navigation shows at each place
    `# generated: NAME` of mkdocs.yml.
    """
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", folder / "docs")
    for name, page in OF_THE_ROOT.items():
        (folder / "docs" / page).write_text(_at_the_root(ROOT / name), "utf-8")
    for path, text in generated.items():
        target = folder / "docs" / path
        if target.exists():
            raise FileExistsError(f"docs/{path} is generated: remove the file in docs/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    config = folder / "mkdocs.yml"
    config.write_text(with_generated((ROOT / "mkdocs.yml").read_text("utf-8"), sections), "utf-8")
    return config


def with_generated(config: str, sections: Mapping[str, list[tuple[str, str]]]) -> str:
    """Return mkdocs.yml with the generated pages in its navigation."""
    filled = PLACE.sub(lambda place: _lines(place[1], sections[place[2]]), config)
    if unused := set(sections) - {place[2] for place in PLACE.finditer(config)}:
        raise LookupError(f"mkdocs.yml has no line `# generated: {unused.pop()}`")
    return filled


def _lines(indent: str, pages: list[tuple[str, str]]) -> str:
    return "".join(f'{indent}- "{title}": {path}\n' for title, path in pages)


def _at_the_root(page: Path) -> str:
    """Return the text of a page, with links into docs/ made relative to docs/."""
    return page.read_text("utf-8").replace("](docs/", "](")
