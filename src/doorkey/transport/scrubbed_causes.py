"""The HTTP library's own error as the cause of ours: its type and text, without frames and other references.

Error collectors show the local variables of each frame, and the frames of an HTTP library hold the request (its form
and its `Authorization` header) and the response.
"""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPException
from typing import Final

from doorkey.errors import TransportError

_PROTOCOL_ERRORS: Final = ("RemoteProtocolError", "LocalProtocolError", "ClientResponseError", "HttpProcessingError")
"""The protocol errors of httpx2 and httpx, and of aiohttp. requests passes on the errors of http.client."""


def caused_by(error: Exception, failure: TransportError, url: str) -> TransportError:
    """Return `failure` with `error` as its cause. The cause loses its frames, its own causes and its request.

    The text of `error` may repeat the query of `url` (which may hold the grant or the client's secret) or the response.
    Then another error of the same type without that text is the cause. Raise the result outside of the `except` block,
    which would add `error` again as its context.
    """
    failure.__cause__ = _without_text(error) if "?" in url or _quotes_a_response(error) else detached(error)
    return failure


def _quotes_a_response(error: Exception) -> bool:
    """Return whether the response was not HTTP. The text of such an error quotes the line that could not be parsed."""
    return any(isinstance(one, HTTPException) or _is_of_protocol(one) for one in all_in(error))


def _is_of_protocol(error: BaseException) -> bool:
    return any(kind.__name__ in _PROTOCOL_ERRORS for kind in type(error).__mro__)


def detached(error: Exception) -> Exception:
    """Remove the frames, the causes, the contexts and the requests from `error` and its causes, and return `error`."""
    for one in list(all_in(error)):
        one.__traceback__ = one.__cause__ = one.__context__ = None
        for name in ("request", "_request"):  # of requests, and of httpx2 and httpx
            if name in vars(one):
                setattr(one, name, None)
    return error


def all_in(error: BaseException) -> Iterator[BaseException]:
    """Yield `error` and all errors that it comes from: causes, contexts, members of groups, and errors in `args`."""
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
    except Exception:  # noqa: BLE001  # this type requires other arguments
        return OSError(f"{type(error).__name__}: {text}")
