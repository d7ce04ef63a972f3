"""Checks of the built site: each link leads to a file and an element of the site, and no page loads another host."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

LOADED = {"script": "src", "img": "src", "link": "href", "source": "srcset", "iframe": "src", "use": "href"}
"""The attributes whose URL a browser loads without a click, by element."""


@dataclass(slots=True)
class Page:
    """The anchors and links of one page."""

    anchors: set[str] = field(default_factory=set[str])
    links: list[str] = field(default_factory=list[str])
    loaded: list[str] = field(default_factory=list[str])


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if name := attributes.get("id") or (attributes.get("name") if tag == "a" else None):
            self.page.anchors.add(name)
        url = attributes.get(LOADED.get(tag, "href"))
        if url and tag in LOADED:
            self.page.loaded.append(url)
        elif url and tag == "a":
            self.page.links.append(url)


def problems(site: Path) -> list[str]:
    """Return one line for each broken link of the site, and for each file that a page loads from another host."""
    pages = {file.resolve(): _read(file) for file in site.rglob("*.html")}
    found: list[str] = []
    for file, page in pages.items():
        name = file.relative_to(site.resolve())
        found += [f"{name}: loads {url} from another host" for url in page.loaded if urlsplit(url).netloc]
        local = [url for url in (*page.links, *page.loaded) if not urlsplit(url).scheme and not urlsplit(url).netloc]
        found += [f"{name}: {url} leads nowhere" for url in local if not _there(url, file, site.resolve(), pages)]
    return found


def _there(url: str, file: Path, site: Path, pages: dict[Path, Page]) -> bool:
    path, anchor = urldefrag(url)
    path = unquote(urlsplit(path).path)
    target = file
    if path:
        target = (site / path.lstrip("/") if path.startswith("/") else file.parent / path).resolve()
        if target.is_dir():
            target /= "index.html"
    if target not in pages:
        return target.is_file()
    return not anchor or unquote(anchor) in pages[target].anchors


def _read(file: Path) -> Page:
    reader = _Reader()
    reader.feed(file.read_text("utf-8"))
    return reader.page
