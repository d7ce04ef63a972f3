"""The fields of the control page's forms."""

from __future__ import annotations

from collections.abc import Iterable

from doorkey.pages.markup import EMPTY, Html, attribute, fill, joined


def fields(*content: Html) -> Html:
    """Return fields side by side, if the page is wide enough."""
    return fill('<div class="fields">\n{content}\n</div>', content=joined(content))


def text_field(name: str, label: str, value: str = "", *, kind: str = "text", about: str = "") -> Html:
    """Return a labeled field. kind: its type in HTML. about: an explanation below it."""
    return _labeled(
        name,
        label,
        fill(
            '<input id="{name}" name="{name}" type="{kind}" value="{value}" autocomplete="{complete}"{described}>',
            name=attribute(name),
            kind=attribute(kind),
            value=attribute(value),
            complete="new-password" if kind == "password" else "off",
            described=_described(name, about),
        ),
        about,
    )


def number_field(name: str, label: str, value: int, *, most: int) -> Html:
    """Return a labeled field for a whole number from 1 to `most`."""
    field = fill(
        '<input id="{name}" name="{name}" type="number" min="1" max="{most}" value="{value}" required>',
        name=attribute(name),
        most=most,
        value=value,
    )
    return _labeled(name, label, field)


def text_area(name: str, label: str, value: str, *, about: str = "") -> Html:
    """Return a labeled field of several lines."""
    field = fill(
        '<textarea id="{name}" name="{name}" spellcheck="false"{described}>\n{value}</textarea>',
        name=attribute(name),
        described=_described(name, about),
        value=attribute(value),  # not shortened, because the form sends it back
    )
    return _labeled(name, label, field, about)


def choice(name: str, label: str, options: Iterable[tuple[str, str]]) -> Html:
    """Return a labeled choice of one of `options`, each a value and its text. The default is the first option."""
    items = (
        fill('<option value="{value}">{text}</option>', value=attribute(value), text=text) for value, text in options
    )
    field = fill('<select id="{name}" name="{name}">\n{items}\n</select>', name=attribute(name), items=joined(items))
    return _labeled(name, label, field)


def checkbox(name: str, label: str) -> Html:
    """Return a labeled checkbox, whose value is `yes` if it is checked."""
    return fill(
        '<p><label><input type="checkbox" name="{name}" value="yes">{label}</label></p>',
        name=attribute(name),
        label=label,
    )


def _labeled(name: str, label: str, field: Html, about: str = "") -> Html:
    note = EMPTY
    if about:
        note = fill('<p class="soft" id="about-{name}">{about}</p>', name=attribute(name), about=about)
    return fill(
        '<div><label for="{name}">{label}</label>\n{field}\n{note}</div>',
        name=attribute(name),
        label=label,
        field=field,
        note=note,
    )


def _described(name: str, about: str) -> Html:
    return fill(' aria-describedby="about-{name}"', name=attribute(name)) if about else EMPTY
