"""Reading the parameters of a request from its form or its query. A parameter must not be repeated (RFC 6749 §3.1,
§3.2)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from urllib.parse import parse_qsl, urlsplit

from doorkey.errors import InvalidRequest
from doorkey.wire.messages import FORM, Request

MAX_PARAMETERS = 100


class Parameters:
    """The parameters of one request. A parameter without a value counts as absent (RFC 6749 §3.1).

    pairs: the names and values, decoded.
    may_repeat: the names that may be repeated.

    Raises `InvalidRequest` for any other parameter that is repeated.
    """

    __slots__ = ("_values",)

    def __init__(self, pairs: Iterable[tuple[str, str]], may_repeat: Container[str] = ()) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)
        self.refuse_repeats(may_repeat)

    def refuse_repeats(self, may_repeat: Container[str] = ()) -> None:
        """Raise `InvalidRequest` for a repeated parameter whose name is not in `may_repeat`."""
        if any(len(values) > 1 and name not in may_repeat for name, values in self._values.items()):
            raise InvalidRequest(description="duplicated parameter", status=400)

    def get(self, name: str) -> str | None:
        """Return the value of `name`, or None."""
        return next(iter(self.all(name)), None)

    def all(self, name: str) -> tuple[str, ...]:
        """Return the values of a parameter that may repeat, in order."""
        return tuple(value for value in self._values.get(name, ()) if value)

    def need(self, name: str, *, status: int = 400, description: str | None = None) -> str:
        """Return the value of `name`, or raise `InvalidRequest` with `status` and `description` if it is missing."""
        value = self.get(name)
        if value is None:
            raise InvalidRequest(description=description or f"Missing parameter: {name}", status=status)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __repr__(self) -> str:  # values may be secrets
        return f"<Parameters {' '.join(self._values)}>"


def has_form(request: Request) -> bool:
    """Return whether the body is a form, by its media type."""
    return (request.header("content-type") or "").partition(";")[0].strip().lower() == FORM


def form_of(request: Request, may_repeat: Container[str] = ()) -> Parameters:
    """Return the parameters in the body of a request, or no parameters if the media type is not that of a form.

    Raises `InvalidRequest` for a repeated parameter whose name is not in `may_repeat`.
    """
    return _parse(request.content if has_form(request) else b"", may_repeat)


def query_of(request: Request) -> Parameters:
    """Return the parameters in the query of a request. Raises `InvalidRequest` for a repeated parameter."""
    return _parse(urlsplit(request.url).query.encode())


def _parse(data: bytes, may_repeat: Container[str] = ()) -> Parameters:
    try:
        pairs = parse_qsl(
            data.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except ValueError:  # not ASCII, percent-escapes that are not UTF-8, or too many parameters
        raise InvalidRequest(description="the parameters cannot be read", status=400) from None
    return Parameters(pairs, may_repeat)
