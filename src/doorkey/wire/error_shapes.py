"""The shapes in which servers describe an error: the shape of RFC 6749 §5.2, and other common shapes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, cast

from doorkey.errors import ServerError
from doorkey.wire.redaction import without_tokens

UNNAMED: Final = "invalid_error"
"""The code for an error without a code."""

_CODES: Final = ("error", "errorType", "error_type", "errorCode", "error_code", "code", "type", "status", "name")
_TEXTS: Final = ("error_description", "message", "errorMessage", "error_message", "detail", "title", "description")


class DescribedError(NamedTuple):
    """The code, the text and the URI of an error, as the server wrote them."""

    error: str
    description: str = ""
    uri: str = ""


def error_in(members: Mapping[str, Any], status: int) -> DescribedError | None:
    """Return the error in the members of a JSON response, or None.

    Supported are `error` as a code (RFC 6749 §5.2), `error` as an object, `errors` as a list of objects and, if
    `status` is 400 or more, a registered code in another member, as in problem details (RFC 9457).
    """
    error, errors = members.get("error"), members.get("errors")
    if isinstance(error, str) and error:
        uri = members.get("error_uri")
        return DescribedError(error, _text(members.get("error_description")) or _described(members), _text(uri))
    if isinstance(error, Mapping):
        return _of(cast("Mapping[str, Any]", error))
    if error is not None:
        return DescribedError(UNNAMED)
    several: tuple[object, ...] = tuple(cast("Iterable[object]", errors)) if isinstance(errors, list) else ()
    first = several[0] if several else None
    if isinstance(first, Mapping):
        return _of(cast("Mapping[str, Any]", first))
    if status >= 400 and (code := _registered(members)):
        return DescribedError(code, _described(members))
    return None


def _of(members: Mapping[str, Any]) -> DescribedError:
    return DescribedError(_registered(members) or UNNAMED, _described(members))


def _registered(members: Mapping[str, Any]) -> str:
    return next((code for code in _values(members, _CODES) if code in ServerError.by_error), "")


def _described(members: Mapping[str, Any]) -> str:
    """Return the first two texts for people; every part that looks like a token is hidden."""
    return without_tokens(": ".join(dict.fromkeys(list(_values(members, _TEXTS))[:2])))


def _values(members: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        if text := _text(members.get(name)):
            yield text


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
