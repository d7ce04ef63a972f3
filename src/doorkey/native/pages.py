"""The pages that the browser shows at the end of a native login, and the HTTP response with a page."""

from __future__ import annotations

from http import HTTPStatus

from doorkey.errors import OAuthError
from doorkey.login.errors import LoginError
from doorkey.native.callbacks import Rejected
from doorkey.native.http_request import Unreadable
from doorkey.pages import page_headers
from doorkey.pages.layout import page
from doorkey.pages.parts import done, paragraph, problem

_CLOSE = "You can close this window."


def success_response() -> bytes:
    """Return the response for a login whose token has been received."""
    return _response(200, page("You are logged in", done("The application has received the login."), paragraph(_CLOSE)))


def failure_response(error: OAuthError) -> bytes:
    """Return the response for a login that failed."""
    title, cause, fix = (error.title, error.problem, error.fix) if isinstance(error, LoginError) else _texts_of(error)
    return _response(400, page(title, problem(cause), paragraph(fix), paragraph(_CLOSE)))


def rejection_response(rejected: Rejected | Unreadable) -> bytes:
    """Return the response for a request that is not the authorization response of this login."""
    if isinstance(rejected, Unreadable):
        return _response(rejected.status, page("This request cannot be read", problem(rejected.reason)))
    text = page(rejected.title, problem(rejected.cause), paragraph(rejected.fix))
    return _response(rejected.status, text, rejected.headers)


def _texts_of(error: OAuthError) -> tuple[str, str, str]:
    return "The login failed", f"{str(error).rstrip('.')}.", "Start the login again in the application."


def _response(status: int, text: str, headers: tuple[tuple[str, str], ...] = ()) -> bytes:
    """Return the bytes of a response that closes its connection, and whose page sends its URL to no other site."""
    body = text.encode("utf-8", "replace")
    own = [(name, "no-referrer" if name == "Referrer-Policy" else value) for name, value in page_headers()]
    lines = [f"{name}: {value}" for name, value in (*own, *headers, ("Content-Length", str(len(body))))]
    head = "\r\n".join([f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *lines, "Connection: close", "", ""])
    return head.encode("ascii") + body
