"""HTTP requests and responses as values, which flows yield and receive.

Parameters are pairs until they are encoded, so that repeated names and the order are kept.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeAlias
from urllib.parse import urlencode

from doorkey.errors import OAuthError, UsageError, scrubbed
from doorkey.values import RedactedBytes, hides_locals
from doorkey.wire.flow import Effect
from doorkey.wire.urls import shown_url

Pairs: TypeAlias = tuple[tuple[str, str], ...]
"""(name, value) pairs: a form, a query or headers."""

FORM = "application/x-www-form-urlencoded"


@hides_locals
def form_encoded(pairs: Iterable[tuple[str, str]]) -> str:
    """Return `pairs` form-encoded (WHATWG URL §5.2). Raises `UsageError` for text that UTF-8 cannot encode."""
    try:
        return urlencode(list(pairs))
    except UnicodeEncodeError as error:
        raise UsageError("a parameter holds a lone surrogate, which cannot be encoded") from scrubbed(error)


def with_header(headers: Mapping[str, str], name: str, value: str) -> dict[str, str]:
    """Return a copy of `headers` in which the header `name`, compared without case, has this one `value`."""
    return {**{old: given for old, given in headers.items() if old.lower() != name.lower()}, name: value}


@hides_locals
def header_pairs(headers: Any, what: str) -> Pairs:
    """Return `headers`, a mapping or pairs, as pairs of text; bytes are decoded as latin-1 (RFC 9110 §5.5).

    `what` is the beginning of the message. Raises `UsageError` for anything else.
    """
    given: Any = headers
    items = given.items() if isinstance(headers, Mapping) else given
    try:
        pairs: list[tuple[Any, Any]] = [(name, value) for name, value in items]
    except (TypeError, ValueError):
        pairs = [(None, None)]
    if all(isinstance(text, str) for pair in pairs for text in pair):
        return tuple(pairs)
    if not all(isinstance(text, str | bytes | int | float) for pair in pairs for text in pair):
        raise UsageError(f"{what} must be a mapping of names to values, or (name, value) pairs of text")
    return tuple((_header_text(name), _header_text(value)) for name, value in pairs)


def _header_text(value: str | bytes | float) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


@hides_locals
def body_bytes(body: object, what: str) -> bytes:
    """Return a body of text or bytes as bytes; None means an empty body. Raises `UsageError` for anything else.

    `what` is the beginning of the message.
    """
    if body is None or isinstance(body, bytes | bytearray):
        return bytes(body or b"")
    if not isinstance(body, str):
        raise UsageError(f"{what} must be text or bytes, not {type(body).__name__}")
    try:
        return body.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise UsageError(f"{what} holds a lone surrogate, which cannot be encoded") from scrubbed(error)


@dataclass(frozen=True, slots=True)
class Response:
    """A response: the status, the headers as pairs, and the decoded, bounded body.

    `request` is the request of this response. Errors about the response must not quote the secrets of that request.
    """

    status: int
    headers: Pairs = ()
    body: bytes = b""
    request: Request | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "body", RedactedBytes(self.body))

    def header(self, name: str) -> str | None:
        """Return the value of the first header `name`, compared without case, or None."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def media_type(self) -> str:
        """The media type of the body, in lower case and without parameters; empty without a Content-Type header."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    def __repr__(self) -> str:  # a body may hold tokens
        return f"<Response {self.status} {self.media_type or 'of no type'}, {len(self.body)} bytes>"


@dataclass(frozen=True, slots=True, repr=False)
class Request(Effect[Response]):
    """A request to an authorization server. A flow that yields it receives its `Response`.

    `form` holds parameters as pairs. `body` holds bytes that a user's hook has already encoded; they replace `form`.
    `options` are for the HTTP client that sends the request (its own `timeout`, for instance). `needs_certificate`: the
    client presents its certificate in the TLS connection (RFC 8705).
    """

    method: str
    url: str
    headers: Pairs = ()
    form: Pairs = ()
    body: bytes | None = None
    options: tuple[tuple[str, Any], ...] = ()
    needs_certificate: bool = False

    def __post_init__(self) -> None:
        if self.body is not None:
            object.__setattr__(self, "body", RedactedBytes(self.body))

    def __iter__(self) -> Generator[Self, Response, Response]:
        try:
            return replace((yield self), request=self)
        except OAuthError as error:
            from doorkey.wire.error_context import in_exchange  # only for an error

            raise in_exchange(error, self, getattr(error, "status", None))  # noqa: B904  # the same error

    @property
    def content(self) -> bytes:
        """The encoded body, as it is sent."""
        return RedactedBytes(form_encoded(self.form).encode("ascii")) if self.body is None else self.body

    def header(self, name: str) -> str | None:
        """Return the value of the first header `name`, compared without case, or None."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def with_header(self, name: str, value: str) -> Request:
        """Return a copy in which the header `name`, compared without case, has this one `value`."""
        kept = tuple((key, old) for key, old in self.headers if key.lower() != name.lower())
        return replace(self, headers=(*kept, (name, value)))

    def with_options(self, options: tuple[tuple[str, Any], ...]) -> Request:
        """Return a copy with these `options` for the HTTP client that sends it."""
        return replace(self, options=options)

    def __repr__(self) -> str:  # the form and the query may hold secrets
        return f"<Request {self.method} {shown_url(self.url)}>"
