"""The page of a package index: README.md without what a package index cannot show."""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

PICTURE = re.compile(
    r"^(?:!\[[^\]]*\]\((?!https?:)[^)]*\)|<picture>.*?</picture>|<img\b[^>]*>)\n\n?", re.MULTILINE | re.DOTALL
)
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:)([^)\s]+)\)")


def page_of_an_index(readme: str) -> str:
    """Return the text with each relative link replaced by the path of its file, and without pictures of the checkout.

    No public address of the repository is known, and a package index has none of its files.
    """
    return LINK.sub(r"\1 (`\2`)", PICTURE.sub("", readme))


class CustomMetadataHook(MetadataHookInterface):
    """Makes the description of the package."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set `readme`, which pyproject.toml lists as dynamic."""
        text = page_of_an_index((Path(self.root) / "README.md").read_text("utf-8"))
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
