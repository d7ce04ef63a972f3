"""HTML from templates: every value is escaped, unless it is HTML that itself came from a template."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import LiteralString

from doorkey.errors import UsageError

MAX_TEXT = 2000
"""The maximum characters of one value that a page shows. A hidden field or a link is never cut."""

_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]"
)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_RUN_CODE = frozenset({"javascript", "data", "vbscript", "blob", "file", "about", "view-source"})


class Html(str):
    """Text that is already HTML. `fill` and `joined` create it. External input must never be passed to this class."""

    __slots__ = ()


EMPTY = Html()


def fill(template: LiteralString, /, **values: str | int) -> Html:
    """Return `template` with each `{name}` replaced by its value, which is escaped unless it is `Html`.

    A value is cut to `MAX_TEXT` characters. Control characters, and characters that change the direction of text, are
    replaced with U+FFFD.
    """
    return Html(template.format_map({name: _escaped(value) for name, value in values.items()}))


def joined(parts: Iterable[Html]) -> Html:
    """Return the parts, one on each line. Empty parts are skipped."""
    return Html("\n".join(part for part in parts if part))


def attribute(value: str) -> Html:
    """Return `value` for an attribute in double quotes, complete and unchanged, because a form sends it back."""
    return Html(escape(value))


def href(url: str) -> Html:
    """Return `url` for the `href` of a link or the `action` of a form.

    Raises `UsageError` for a URL that a browser runs as code (`javascript:`), and for a URL with a control character or
    a space. Browsers remove these characters, so that the real scheme would differ from the apparent one.
    """
    found = _SCHEME.match(url)
    if (found and found[1].lower() in _RUN_CODE) or re.search(r"[\x00-\x20\x7f-\x9f]", url):
        raise UsageError(
            "the URL of a link is code, or has a space or a control character: use an http or https URL, or a path"
        )
    return Html(escape(url))


def _escaped(value: str | int) -> Html:
    if isinstance(value, Html):
        return value
    text = _CONTROLS.sub("\ufffd", str(value))
    return Html(escape(text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"))
