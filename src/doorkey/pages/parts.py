"""The parts of pages: notes, links, and forms that a button sends."""

from __future__ import annotations

from collections.abc import Iterable

from doorkey.pages.markup import EMPTY, Html, attribute, fill, href, joined

CONTINUE = 'addEventListener("load", () => document.getElementById("continue").click());\n'
"""The script that continues by itself: it clicks the element `#continue` after the page and its frames are loaded."""


def problem(text: str) -> Html:
    """Return a note about an error, which a screen reader announces. Other parts refer to its ID, `problem`."""
    return fill('<p class="note" role="alert" id="problem">{text}</p>', text=text)


def done(text: str) -> Html:
    """Return a note about success."""
    return fill('<p class="note good" role="status">{text}</p>', text=text)


def paragraph(text: str, *, soft: bool = False) -> Html:
    """Return a paragraph; `EMPTY` for an empty text.

    soft: whether it is less important, and has a softer color.
    """
    if not text:
        return EMPTY
    return fill('<p class="soft">{text}</p>', text=text) if soft else fill("<p>{text}</p>", text=text)


def button_link(url: str, label: str, *, other: bool = False, goes_on: bool = False) -> Html:
    """Return a link that looks like a button.

    other: whether it is a secondary choice.
    goes_on: whether the script `CONTINUE` clicks it.
    """
    return fill(
        '<p><a class="{kind}"{id} href="{url}">{label}</a></p>',
        kind="button other" if other else "button",
        id=fill(' id="continue"') if goes_on else EMPTY,
        url=href(url),
        label=label,
    )


def hidden_fields(pairs: Iterable[tuple[str, str]]) -> Html:
    """Return the hidden fields of a form."""
    return joined(
        fill('<input type="hidden" name="{name}" value="{value}">', name=attribute(name), value=attribute(value))
        for name, value in pairs
    )


def form(action: str, fields: Iterable[tuple[str, str]], *content: Html) -> Html:
    """Return a form that posts the hidden `fields` and its `content` to `action`."""
    return fill(
        '<form method="post" action="{action}">\n{content}\n</form>',
        action=href(action),
        content=joined((hidden_fields(fields), *content)),
    )


def submit(
    label: str, *, name: str = "", value: str = "", other: bool = False, about: str = "", goes_on: bool = False
) -> Html:
    """Return the button of a form.

    name, value: the field that it adds to the form.
    other: whether it is a secondary choice.
    about: the text that a screen reader adds to the label, if several buttons of a page have the same label.
    goes_on: whether the script `CONTINUE` clicks it.
    """
    return fill(
        '<button type="submit"{id}{kind}{field}{spoken}>{label}</button>',
        id=fill(' id="continue"') if goes_on else EMPTY,
        kind=fill(' class="other"') if other else EMPTY,
        field=fill(' name="{name}" value="{value}"', name=attribute(name), value=attribute(value)) if name else EMPTY,
        spoken=fill(' aria-label="{label}: {about}"', label=label, about=about) if about else EMPTY,
        label=label,
    )


def details(summary: str, text: str) -> Html:
    """Return a collapsed text that the user can expand; `EMPTY` for an empty text."""
    if not text:
        return EMPTY
    return fill("<details><summary>{summary}</summary>\n<p>{text}</p>\n</details>", summary=summary, text=text)


def frames(urls: Iterable[str]) -> Html:
    """Return invisible frames that load `urls` (OpenID Connect Front-Channel Logout §3)."""
    return joined(
        fill('<iframe src="{url}" title="Logging out of an application" hidden></iframe>', url=href(url))
        for url in urls
    )
