"""The rules for every response of an authorization server: an OAuth error comes first; the body is one JSON object."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from doorkey.errors import InvalidResponse, ServerError, printable
from doorkey.values import RedactedDict, unguarded
from doorkey.wire.error_context import names_exchange
from doorkey.wire.error_shapes import error_in
from doorkey.wire.messages import FORM, Pairs, Response
from doorkey.wire.redaction import names_of_form, redactor, without_tokens
from doorkey.wire.strict_json import JSONProblem, parse_object

MAX_RETRY_AFTER: Final = 3600.0
"""The maximum of `Retry-After` in seconds; a longer time counts as this."""

_REPAIR: Final = "; a compliance hook can rewrite it ('access_token_response', 'refresh_token_response')"
_EXCERPT: Final = 200
_EXAMINED: Final = 64 * 1024
_TEXT_TYPE: Final = re.compile(r"\A(text/|application/(.*\+)?(json|xml)\Z)")
_FORM_TEXT: Final = re.compile(r"\A[\w.%-]+=[^\s<>]*\Z")

_BUSY: Final = frozenset({429, 503})
_COOKIES: Final = frozenset({"set-cookie", "set-cookie2"})


def retry_after(response: Response, now: float | None = None) -> float | None:
    """Return the seconds of `Retry-After`, from 0 to an hour, or None (RFC 9110 §10.2.3).

    now: seconds since the epoch, for a date in the header; without it, a date gives None.
    """
    value = (response.header("retry-after") or "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:12]), MAX_RETRY_AFTER)
    if value and now is not None:
        # Imported here, because these take a fifth of the import time of this package, and the header is rare.
        from datetime import UTC
        from email.utils import parsedate_to_datetime

        try:
            date = parsedate_to_datetime(value)
            moment = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()  # never the local time
        except (ValueError, TypeError, OverflowError):
            return None
        return min(max(math.ceil(moment - now), 0.0), MAX_RETRY_AFTER)
    return None


@names_exchange
def raise_oauth_error(response: Response, members: Mapping[str, Any], now: float | None = None) -> None:
    """Raise the `ServerError` that `members` describe (RFC 6749 §5.2); return if they describe none.

    The status may be any. Other shapes of an error are supported too: `errors` as a list, `error` as an object, problem
    details (RFC 9457). The class of the error is that of the registered code, else `TemporarilyUnavailable` for 429 and
    503, else `ServerError`.

    response: the response that contained these members.
    members: the members of its JSON object.
    now: seconds since the epoch, for a date in `Retry-After`.
    """
    found = error_in(members, response.status)
    if found is None:
        return
    hide = redactor(response.request)
    name = found.error if found.error in ServerError.by_error else hide(found.error)
    kind = ServerError.named(name)
    if kind is ServerError and response.status in _BUSY:
        kind = ServerError.named("temporarily_unavailable")
    raise kind(
        name,
        hide(found.description) if found.description else None,
        hide(found.uri) if found.uri else None,
        status=response.status,
        headers=_headers_of(response),
        retry_after=retry_after(response, now),
    )


@names_exchange
def raise_for_status(response: Response, now: float | None = None) -> None:
    """Raise an error for any status except 2xx: `TemporarilyUnavailable` for 429 and 503, else `InvalidResponse`.

    response: the response.
    now: seconds since the epoch, for a date in `Retry-After`.
    """
    if 200 <= response.status < 300:
        return
    if response.status in _BUSY:
        raise ServerError.named("temporarily_unavailable")(
            "temporarily_unavailable",
            f"the server answered {response.status}",
            status=response.status,
            headers=_headers_of(response),
            retry_after=retry_after(response, now),
        )
    raise InvalidResponse(
        "status",
        f"the server rejected the request without an OAuth error (RFC 6749 §5.2){_repair(response)}",
        status=response.status,
        excerpt=excerpt_of(response),
    )


_raise_oauth_error, _raise_for_status = unguarded(raise_oauth_error), unguarded(raise_for_status)


def _repair(response: Response) -> str:
    """Return the hint at compliance hooks, for the end of a message about a response that violates the protocol.

    There is no hint for a status from 500 on, which a hook cannot repair, or for a GET request, whose response no hook
    receives.
    """
    is_document = response.request is not None and response.request.method == "GET"
    return "" if is_document or response.status >= 500 else _REPAIR


def _headers_of(response: Response) -> Pairs:
    """Return the headers for an error, without cookies: its attributes are logged, and a cookie may be a session ID."""
    hide = redactor(response.request)
    return tuple((name, hide(value)) for name, value in response.headers if name.lower() not in _COOKIES)


@names_exchange
def json_answer(response: Response, what: str, now: float | None = None, *, finite: bool = True) -> dict[str, Any]:
    """Return the JSON object of a successful response.

    response: the response.
    what: the name of the response in messages.
    now: seconds since the epoch, for a date in `Retry-After`.
    finite: True to reject numbers beyond the range of a double.

    Raises `ServerError` for an OAuth error with any status, `TemporarilyUnavailable` for 429 and 503, and
    `InvalidResponse` with problem `empty`, `not_json`, `not_an_object`, `duplicate_member`, `too_deep` or `status`.
    """
    try:
        members = RedactedDict(parse_object(response.body, finite=finite))
    except JSONProblem as bad:
        if response.status in _BUSY:
            raise_for_status(response, now)
        problem = bad.problem if response.body.strip() else "empty"
        why = "it is empty" if problem == "empty" else str(bad)
        kind = printable(response.media_type, 80) or "not named"
        raise InvalidResponse(
            problem,
            f"the {what} is not the JSON object that the protocol defines: {why}; its media type is {kind}"
            + _repair(response),
            status=response.status,
            excerpt=excerpt_of(response),
        ) from None
    _raise_oauth_error(response, members, now)
    _raise_for_status(response, now)
    return members


def excerpt_of(response: Response) -> str:
    """Return the beginning of an unusable response, with secrets and everything that looks like a token hidden.

    An error response is quoted if its media type is text, JSON or XML, and any other response only if it is HTML. Of a
    form, only the names are quoted, because its values may be tokens. The excerpt is empty for everything else.
    """
    text = response.body.decode("utf-8", "replace")
    if response.media_type == FORM or (not response.media_type and _FORM_TEXT.match(text)):
        shown = names_of_form(text[:_EXAMINED])
    elif response.media_type == "text/html" or (response.status >= 400 and _TEXT_TYPE.search(response.media_type)):
        # Secrets are hidden before the text is cut, because a part of a secret would not be found.
        shown = without_tokens(redactor(response.request)(text[:_EXAMINED]), in_success=response.status < 400)
    else:
        return ""
    return shown[:_EXCERPT]
