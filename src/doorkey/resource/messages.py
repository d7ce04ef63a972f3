"""A request to an API, and the responses of a guard, as values that are independent of any web framework."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from doorkey.arguments import text
from doorkey.errors import OAuthError
from doorkey.wire.messages import Pairs, header_pairs

_JSON = ("Content-Type", "application/json")
_NO_STORE = ("Cache-Control", "no-store")


@dataclass(frozen=True, slots=True, repr=False)
class ApiRequest:
    """A request to an API.

    method: the HTTP method.
    url: the unchanged URL of the request. It may consist of a path and a query only.
    headers: all headers, as a mapping or as pairs in which a header may be repeated. Bytes are decoded as latin-1.
    certificate: the client certificate of the TLS connection, as DER bytes or PEM, or None.
    form: the parameters of a form-encoded body as pairs. Give them only if the API accepts a token there
        (RFC 6750 §2.2).

    Raises `UsageError` for values of other types.
    """

    method: str
    url: str
    headers: Mapping[str, str] | Iterable[tuple[str | bytes, str | bytes]]
    certificate: str | bytes | None = None
    form: Pairs = ()

    def __post_init__(self) -> None:
        text(self.method, "the method of a request")
        text(self.url, "the URL of a request")
        object.__setattr__(self, "headers", header_pairs(self.headers, "the headers of a request"))
        object.__setattr__(self, "form", header_pairs(self.form, "the parameters of a form"))

    @property
    def pairs(self) -> Pairs:
        """The headers as pairs of text."""
        return cast("Pairs", self.headers)

    @property
    def path(self) -> str:
        """The path of the URL."""
        rest = self.url.partition("?")[0].partition("#")[0]
        scheme, separator, tail = rest.partition("://")
        return "/" + tail.partition("/")[2] if separator and "/" not in scheme else rest

    @property
    def query(self) -> str:
        """The query of the URL, without the question mark."""
        return self.url.partition("?")[2].partition("#")[0]

    def __repr__(self) -> str:  # headers and URL may contain the token
        return f"<ApiRequest {self.method}>"


@dataclass(frozen=True, slots=True)
class Reply:
    """A response of a guard.

    status: the HTTP status.
    headers: the headers, as pairs.
    body: the body.
    """

    status: int
    headers: Pairs
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Rejection(Reply):
    """The response to a rejected request.

    status, headers, body: as for `Reply`.
    error: the reason: a `RequestRejected`, or the error of a request to the authorization server.

    A program that makes its own response needs `status` and the header `WWW-Authenticate` of `headers`.
    """

    error: OAuthError = field(kw_only=True)

    @property
    def close_code(self) -> int:
        """The code with which a WebSocket is closed in place of the response (RFC 6455 §7.4.1)."""
        return 1013 if self.status == 503 else 1008

    @property
    def challenge(self) -> str | None:
        """The value of the header `WWW-Authenticate`, or None."""
        return next((value for name, value in self.headers if name == "WWW-Authenticate"), None)


def json_reply(status: int, document: Mapping[str, Any], headers: Iterable[tuple[str, str]] = ()) -> Reply:
    """Return a response whose body is `document` as JSON."""
    return Reply(status, (_JSON, *headers), json.dumps(document).encode("ascii"))


def rejection_for(error: OAuthError, status: int, code: str, description: str, headers: Pairs = ()) -> Rejection:
    """Return the response for `error`. Its body has the members of RFC 6749 §5.2, `code` and `description`."""
    body = json.dumps({"error": code, "error_description": description}).encode("ascii")
    return Rejection(status, (_JSON, _NO_STORE, *headers), body, error=error)
