"""The page of a package index: README.md with links that work there."""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

PICTURE = re.compile(
    r"^(?:!\[[^\]]*\]\((?!https?:)[^)]*\)|<picture>.*?</picture>|<img\b[^>]*>)\n\n?", re.MULTILINE | re.DOTALL
)
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:)([^)\s]+)\)")


FILES = "\nThe files that this page names, such as `docs/start.md`, are in the source distribution.\n"


def page_of_an_index(readme: str, source: str | None = None) -> str:
    """Return the text without pictures of the checkout, and with links that a package index can show.

    A package index has none of the repository's files. source: the URL below which they are; None: no such URL is
    known, so the path of a file replaces the link to it.
    """
    text = PICTURE.sub("", readme)
    if source is not None:
        return LINK.sub(lambda link: f"[{link[1]}]({source.rstrip('/')}/{link[2]})", text)
    page, paths = LINK.subn(r"\1 (`\2`)", text)
    return page + FILES if paths else page


class CustomMetadataHook(MetadataHookInterface):
    """Makes the description of the package."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set `readme`, which pyproject.toml lists as dynamic."""
        source = metadata.get("urls", {}).get("Source")
        text = page_of_an_index((Path(self.root) / "README.md").read_text("utf-8"), source)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
