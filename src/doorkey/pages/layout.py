"""The layout of every page: its head, its header, and its main part with the only heading."""

from __future__ import annotations

from doorkey.pages.markup import EMPTY, Html, fill, href, joined
from doorkey.pages.style import STYLE


def page(
    heading: str,
    *content: Html,
    site: str = "",
    tab: str | None = None,
    wide: bool = False,
    script: str | None = None,
) -> str:
    """Return a complete page.

    heading: the text of its only `h1`.
    content: the parts of its main part.
    site: the name of the application or of the provider, in the header and in the title.
    tab: the title; None: the heading.
    wide: whether the page is wide, for a list.
    script: the URL of a script, which must do only what a link or a button of the page does.
    """
    title = fill("{title} · {site}", title=tab or heading, site=site) if site else fill("{title}", title=tab or heading)
    return fill(
        """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
{script}</head>
<body{kind}>
{header}<main>
<h1>{heading}</h1>
{content}
</main>
</body>
</html>
""",
        title=title,
        style=STYLE,
        script=EMPTY if script is None else fill('<script src="{url}" defer></script>\n', url=href(script)),
        kind=fill(' class="wide"') if wide else EMPTY,
        header=fill("<header><p>{site}</p></header>\n", site=site) if site else EMPTY,
        heading=heading,
        content=joined(content),
    )
