"""Extra parameters of callers: the conversion of their values, and the reserved names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, cast
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from doorkey.errors import UsageError
from doorkey.values import Secret, hides_locals, unguarded
from doorkey.wire.messages import Pairs, form_encoded

_SEVERAL: Final = frozenset({"audience", "resource"})
"""Parameters that may be repeated (RFC 8693 §2.1, RFC 8707 §2)."""


@hides_locals
def pairs_of(parameters: Mapping[str, Any]) -> Pairs:
    """Return the pairs of a mapping. None is omitted; a list, tuple or set repeats its name, or is joined for `scope`.

    Raises `UsageError` for a value that a form cannot contain.
    """
    pairs: list[tuple[str, str]] = []
    for name, value in parameters.items():
        if isinstance(value, list | tuple | set | frozenset):
            texts = [_text(name, item) for item in cast("Iterable[Any]", value)]
            pairs += [(name, " ".join(texts))] if name == "scope" else [(name, text) for text in texts]
        elif value is not None:
            pairs.append((name, _text(name, value)))
    return tuple(pairs)


@hides_locals
def merged(ours: Pairs, extra: Iterable[tuple[str, str]], what: str) -> Pairs:
    """Return `ours` followed by the `extra` pairs, which cannot override ours.

    An extra pair that is equal to one of ours is dropped, because RFC 6749 §3.1 does not allow repeated parameters.
    Raises `UsageError` for an extra pair with another value. The message states that `what` sets this parameter.
    """
    own = dict(ours)
    added: list[tuple[str, str]] = []
    for name, value in extra:
        if name not in own:
            added.append((name, value))
        elif own[name] != value:
            raise UsageError(f"the parameter {name!r} is reserved: {what} sets it to another value")
    return (*ours, *added)


@hides_locals
def not_in_query(url: str, pairs: Iterable[tuple[str, str]]) -> Pairs:
    """Return the `pairs` that the query of the endpoint's `url` does not contain already (RFC 6749 §3.1, §3.2).

    Raises `UsageError` if the query contains a parameter with another value.
    """
    query = _parse_form(urlsplit(url).query)
    if not query:
        return tuple(pairs)
    added: list[tuple[str, str]] = []
    for name, value in pairs:
        present = [other for known, other in query if known == name]
        if not present or name in _SEVERAL:
            added.append((name, value))
        elif present != [value]:
            raise UsageError(f"the parameter {name!r} is in the URL of the endpoint already, with another value")
    return tuple(added)


@hides_locals
def parse_form(text: str) -> Pairs:
    """Return the pairs of a form-encoded text, including empty values. Raises `UsageError` for more than 1000 pairs."""
    try:
        return tuple(parse_qsl(text, keep_blank_values=True, max_num_fields=1000))
    except ValueError:
        raise UsageError("more than 1000 parameters") from None


_parse_form = unguarded(parse_form)


def with_query(url: str, pairs: Iterable[tuple[str, str]]) -> str:
    """Return `url` with `pairs` appended to its query, which is not changed otherwise (RFC 6749 §3.1)."""
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, form_encoded(pairs)) if part)
    return urlunsplit(parts._replace(query=query))


def _text(name: str, value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    raise UsageError(f"the parameter {name!r} is a {type(value).__name__}: give text, a number, or a list of them")
