"""Parameters in URLs and forms, as lists of pairs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib import parse as urlparse
from urllib.parse import quote, unquote

from doorkey.arguments import members, text
from doorkey.common.encoding import to_unicode
from doorkey.errors import UsageError, scrubbed
from doorkey.wire.messages import form_encoded
from doorkey.wire.parameters import parse_form

__all__ = ["add_params_to_qs", "add_params_to_uri", "extract_params", "is_valid_url", "quote", "unquote"]
__all__ += ["url_decode", "url_encode", "urlparse"]

_FORM: Final = re.compile(r"(?:[\w.\-=&;:+~,*@!()/?]|%[0-9A-Fa-f]{2})+", re.ASCII)
"""The characters of a form-encoded text (WHATWG URL §5.2), and other characters that some programs do not encode."""

Params = Mapping[str, str] | Iterable[tuple[str, str]]


def url_encode(params: Params) -> str:
    """Return `params` form-encoded (WHATWG URL §5.2). Raises `UsageError` for text that UTF-8 cannot encode.

    params: a mapping, or (name, value) pairs.
    """
    return form_encoded((str(name), str(value)) for name, value in _pairs(params))


def url_decode(query: str) -> list[tuple[str, str]]:
    """Return the pairs of a form-encoded text, including empty values.

    query: the text. Raises `UsageError` for a character that is not visible ASCII, and for more than 1000 pairs.
    """
    if not all(" " < c <= "~" for c in text(query, "a form-encoded text")):
        raise UsageError("a form-encoded text has only visible ASCII characters")
    return list(parse_form(query))


def add_params_to_qs(query: str, params: Params) -> str:
    """Return a query with parameters appended. Raises `UsageError`.

    query: the form-encoded query, which is encoded again.
    params: a mapping, or (name, value) pairs.
    """
    return url_encode([*parse_form(text(query, "a query")), *_pairs(params)])


def add_params_to_uri(uri: str, params: Params, fragment: bool = False) -> str:
    """Return a URI with parameters appended. Raises `UsageError` if `uri` is not a URI.

    uri: the URI.
    params: a mapping, or (name, value) pairs.
    fragment: True to append them to the fragment instead of the query.
    """
    text(uri, "a URI")
    try:
        parts = urlparse.urlsplit(uri)
    except ValueError as error:
        raise UsageError("this is not a URI") from scrubbed(error)
    if fragment:
        return urlparse.urlunsplit(parts._replace(fragment=add_params_to_qs(parts.fragment, params)))
    return urlparse.urlunsplit(parts._replace(query=add_params_to_qs(parts.query, params)))


def extract_params(raw: Any) -> list[tuple[str, str]] | None:
    """Return the pairs of a form-encoded text, a mapping or a list of pairs, or None for any other value.

    raw: the value. A text with a character that is not allowed in a form, for instance JSON, gives None.
    """
    try:
        if isinstance(raw, str):
            return url_decode(raw) if _FORM.fullmatch(raw) else None
        return [(to_unicode(name), to_unicode(value)) for name, value in _pairs(raw)]
    except UsageError:
        return None


def is_valid_url(url: str, fragments_allowed: bool = True) -> bool:
    """Return whether `url` is absolute and has a host, but no user information, which can hide the host.

    url: the URL. A backslash, a space or a control character makes it invalid.
    fragments_allowed: False if a fragment makes it invalid too.
    """
    try:
        parts = urlparse.urlsplit(text(url, "a URL"))
    except ValueError:  # also a UsageError
        return False
    if " " in url or "\\" in url or "@" in parts.netloc or not url.isprintable():
        return False
    return bool(parts.scheme and parts.hostname and (fragments_allowed or not parts.fragment))


def _pairs(params: Params) -> Iterable[tuple[str, str]]:
    expected = "parameters must be a mapping, or (name, value) pairs"
    pairs = members(params.items() if isinstance(params, Mapping) else params, expected)  # pyright: ignore[reportUnknownArgumentType]
    if not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in pairs):  # pyright: ignore[reportUnknownArgumentType]
        raise UsageError(expected)
    return pairs
