"""The HTTP library's own error as the cause of ours: its type and text, without frames and other references.

Collectors of errors show the local variables of each frame, and those of an HTTP library hold the request (its form and
its `Authorization` header) and the response.
"""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPException
from typing import Final

from doorkey.errors import TransportError

_PROTOCOL_ERRORS: Final = ("RemoteProtocolError", "LocalProtocolError", "ClientResponseError", "HttpProcessingError")
"""Of httpx2 and httpx, and of aiohttp; requests passes those of http.client on."""


def caused_by(error: Exception, failure: TransportError, url: str) -> TransportError:
    """Return `failure` with `error` as its cause, which loses its frames, its own causes and its request.

    If its text may repeat the query of `url` (which may hold the grant or the client's secret) or the response, another
    error of the same type takes its place. Raise it outside of the `except` block, which would add `error` again, as
    its context.
    """
    failure.__cause__ = _without_text(error) if "?" in url or _quotes_a_response(error) else detached(error)
    return failure


def _quotes_a_response(error: Exception) -> bool:
    """Return whether the response was not HTTP: the libraries quote the line that they could not read."""
    return any(isinstance(one, HTTPException) or _is_of_protocol(one) for one in all_in(error))


def _is_of_protocol(error: BaseException) -> bool:
    return any(kind.__name__ in _PROTOCOL_ERRORS for kind in type(error).__mro__)


def detached(error: Exception) -> Exception:
    """Return `error`, from which no frame, no other error and no request can be reached any more."""
    for one in list(all_in(error)):
        one.__traceback__ = one.__cause__ = one.__context__ = None
        for name in ("request", "_request"):  # of requests, and of httpx2 and httpx
            if name in vars(one):
                setattr(one, name, None)
    return error


def all_in(error: BaseException) -> Iterator[BaseException]:
    """Yield `error` and those it comes from: causes, contexts, members of groups, and what urllib3 keeps in args."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        members: tuple[object, ...] = getattr(one, "exceptions", ())  # of a group
        inner: tuple[object, ...] = (one.__cause__, one.__context__, getattr(one, "reason", None), *members, *one.args)
        waiting += [each for each in inner if isinstance(each, BaseException)]


def _without_text(error: Exception) -> Exception:
    text = "the text is omitted because it may repeat the query of the URL or the response, which may hold a secret"
    try:
        return type(error)(text)
    except Exception:  # noqa: BLE001  # whatever arguments this type requires
        return OSError(f"{type(error).__name__}: {text}")
