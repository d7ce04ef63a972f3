"""The exchange that caused an error, in its message: method, URL, client and status, without a secret."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar
from urllib.parse import parse_qsl, unquote_plus, urlsplit

from doorkey.errors import OAuthError, UsageError, printable
from doorkey.values import without_frames
from doorkey.wire.urls import shown_url

if TYPE_CHECKING:
    from doorkey.wire.messages import Request, Response

E = TypeVar("E", bound=OAuthError)
P = ParamSpec("P")
R = TypeVar("R")


def in_exchange(error: E, request: Request | None, status: int | None = None) -> E:
    """Set the exchange that caused `error`, unless one is set already, and return `error`.

    A `UsageError` is about the call, so it gets no exchange.

    request: the request of the exchange, or None if there was none.
    status: the status of its response, or None if there was none.
    """
    if request is not None and not error.exchange and not isinstance(error, UsageError):
        client_id = client_id_of(request)
        client = f", client {printable(client_id, 80)!r}" if client_id else ""
        outcome = "" if status is None else f", HTTP {status}"
        error.exchange = f"{printable(request.method, 10)} {shown_url(request.url)}{client}{outcome}"
    return error


def names_exchange(function: Callable[Concatenate[Response, P], R]) -> Callable[Concatenate[Response, P], R]:
    """Decorate a function that parses a response: its errors name the exchange, and carry no frame of the function.

    The first argument of `function` is the response.
    """

    @wraps(function)
    def call(response: Response, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(response, *args, **kwargs)
        except OAuthError as error:
            del args, kwargs
            raise without_frames(in_exchange(error, response.request, response.status))  # noqa: B904  # the same error

    return call


def client_id_of(request: Request) -> str:
    """Return the client ID in the HTTP Basic credentials, the body or the query of `request`, or an empty string."""
    scheme, _, credentials = (request.header("authorization") or "").partition(" ")
    if scheme.lower() == "basic":
        with suppress(ValueError):
            return unquote_plus(b64decode(credentials, validate=True).decode("utf-8", "replace").partition(":")[0])
    named = dict([*parse_qsl(urlsplit(request.url).query), *parse_qsl(request.content.decode("utf-8", "replace"))])
    return named.get("client_id", "")
