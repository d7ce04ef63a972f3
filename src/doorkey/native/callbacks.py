"""Recognize the browser's request that is the authorization response of a login (RFC 8252 §7.3, §8.9)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from doorkey.errors import UsageError
from doorkey.native.http_request import HttpRequest
from doorkey.wire.messages import FORM
from doorkey.wire.parameters import parse_form

_NO_RESPONSE: Final = "This address only receives the response of the login page."
_GO_ON: Final = "Finish the login in the window that the application opened."


@dataclass(frozen=True, slots=True, repr=False)
class Expected:
    """The authorization response that is expected.

    redirect_uri: the redirect URI, with the port of the listeners.
    state: the state of the authorization request.
    posts_form: whether the response is a posted form, and not a query.
    """

    redirect_uri: str
    state: str
    posts_form: bool = False

    def __repr__(self) -> str:
        return "<Expected response>"


@dataclass(frozen=True, slots=True, repr=False)
class Accepted:
    """The response of this login: its URL, or its form with a list of values for each name. The rest is unchecked."""

    params: Any

    def __repr__(self) -> str:
        return "<Accepted response>"


@dataclass(frozen=True, slots=True)
class Rejected:
    """Another request: the status and the text of its page, and whether it looked like an authorization response."""

    status: int
    title: str
    cause: str
    fix: str = _GO_ON
    headers: tuple[tuple[str, str], ...] = ()
    is_response: bool = False


def check_callback(request: HttpRequest, expected: Expected) -> Accepted | Rejected:
    """Classify a request: it is accepted as the response of this login only with the state of the login.

    A request whose `Host` is not that of the redirect URI is rejected, because it may come from a page of another site
    whose name resolves to this machine (DNS rebinding).
    """
    wanted = urlsplit(expected.redirect_uri)
    if request.host.lower() not in _hosts(wanted.netloc):
        return Rejected(421, "Wrong address", "This request was sent to another host.")
    if request.path != (wanted.path or "/"):
        return Rejected(404, "Nothing is here", _NO_RESPONSE)
    method = "POST" if expected.posts_form else "GET"
    if request.method != method:
        return Rejected(405, "Wrong method", _NO_RESPONSE, headers=(("Allow", method),))
    if expected.posts_form and request.content_type.partition(";")[0].strip().lower() != FORM:
        return Rejected(415, "Wrong content", _NO_RESPONSE)
    try:
        text = request.body.decode("ascii") if expected.posts_form else request.query
        pairs = parse_form(text)
    except (UnicodeDecodeError, UsageError):
        return Rejected(400, "Wrong content", "This response is malformed.", is_response=True)
    states = [value for name, value in pairs if name == "state"]
    if not pairs:
        return Rejected(400, "No response", _NO_RESPONSE)
    if len(states) != 1:
        return Rejected(400, "Not a response", "This response has no state, so its login is unknown.", is_response=True)
    if not hmac.compare_digest(states[0].encode("utf-8", "replace"), expected.state.encode()):
        return Rejected(400, "Another login", "This response belongs to another login.", is_response=True)
    if not expected.posts_form:
        return Accepted(urlunsplit(wanted._replace(query=request.query)))
    form: dict[str, list[str]] = {}
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    return Accepted(form)


def _hosts(netloc: str) -> tuple[str, ...]:
    """Return the values of `Host` for an http URL. Browsers omit the port 80."""
    return netloc, netloc.removesuffix(":80")
