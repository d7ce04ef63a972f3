"""Responses: JSON, pages, redirects, and errors. This is the one place where a `ServerError` becomes a response."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from doorkey.errors import OAuthError, ServerError
from doorkey.pages import page_headers
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Pairs, Response

NOSNIFF = ("X-Content-Type-Options", "nosniff")
NO_STORE: Pairs = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))

# The delimiters of a URL and "%" are not encoded again (RFC 3986 §2.2).
_SAFE = ":/?#[]@!$&'()*+,;=%~"


def json_response(content: object, status: int = 200, headers: Pairs = NO_STORE) -> Response:
    """Return `content` as a JSON response. By default caches must not store it (RFC 6749 §5.1)."""
    body = json.dumps(content, separators=(",", ":")).encode()
    return Response(status, (("Content-Type", "application/json"), *headers), body)


def page_response(text: str, status: int = 200, *, frames: Iterable[str] = (), script: str | None = None) -> Response:
    """Return a page. Its security policy lets it load only the URLs in `frames` and the URL `script`."""
    return Response(status, page_headers(frames=frames, script=script), text.encode())


def without_sniffing(response: Response) -> Response:
    """Return `response` with `nosniff`, so that browsers use only the type in `Content-Type` for its body."""
    others = tuple(pair for pair in response.headers if pair[0].lower() != NOSNIFF[0].lower())
    return replace(response, headers=(*others, NOSNIFF))


def error_response(error: ServerError) -> Response:
    """Return the error response to a client for `error` (RFC 6749 §5.2)."""
    content = {"error": error.error}
    if error.description:
        content["error_description"] = error.description
    return json_response(content, error.status or 400, (*NO_STORE, *error.headers))


def server_error() -> Response:
    """Return the response to a request that failed because of an error in the server."""
    return json_response({"error": "server_error"}, 500)


def answered(flow: Flow[Response]) -> Flow[Response]:
    """Run the flow of an endpoint, and return a `ServerError` that it raises as an error response.

    Any other `OAuthError` becomes the response `server_error` without a description.
    """
    try:
        return (yield from flow)
    except ServerError as error:
        return error_response(error)
    except OAuthError:
        return server_error()


def redirect(uri: str, parameters: Mapping[str, str | None], mode: str = "query", *, status: int = 302) -> Response:
    """Return a redirect to `uri` with `parameters` in its query or fragment (RFC 6749 §4.1.2).

    After a form with a password the status must be 303, so that no browser posts the form to `uri` (RFC 9700 §4.12).
    """
    added = urlencode([(name, value) for name, value in parameters.items() if value is not None])
    parts = urlsplit(uri)
    if mode == "fragment":
        parts = parts._replace(fragment=added)
    else:
        parts = parts._replace(query="&".join(part for part in (parts.query, added) if part))
    return Response(
        status, (("Location", quote(urlunsplit(parts), safe=_SAFE)), *NO_STORE, ("Referrer-Policy", "no-referrer"))
    )
