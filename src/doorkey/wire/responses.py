"""What every answer of an authorization server has in common: an OAuth error wins, and the body is one JSON object."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from doorkey.errors import InvalidResponse, ServerError
from doorkey.values import RedactedDict, hides_locals
from doorkey.wire.messages import Pairs, Response
from doorkey.wire.redaction import redactor
from doorkey.wire.strict_json import JSONProblem, parse_object

MAX_RETRY_AFTER: Final = 3600.0
"""Seconds: a server that asks us to wait longer is taken at its word for an hour."""

_BUSY: Final = frozenset({429, 503})
_COOKIES: Final = frozenset({"set-cookie", "set-cookie2"})


def retry_after(response: Response, now: float | None = None) -> float | None:
    """Return the seconds of `Retry-After`, from 0 to an hour, or None (RFC 9110 §10.2.3).

    A date is understood only where `now` is given, in seconds since the epoch.
    """
    value = (response.header("retry-after") or "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:12]), MAX_RETRY_AFTER)
    if value and now is not None:
        # A fifth of the import time of all this, for a rare header
        from datetime import UTC
        from email.utils import parsedate_to_datetime

        try:
            date = parsedate_to_datetime(value)
            moment = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()  # never the local time
        except (ValueError, TypeError, OverflowError):
            return None
        return min(max(math.ceil(moment - now), 0.0), MAX_RETRY_AFTER)
    return None


@hides_locals
def raise_oauth_error(response: Response, members: Mapping[str, Any], now: float | None = None) -> None:
    """Raise the `ServerError` that `members` describe, if they describe one, whatever the status (RFC 6749 §5.2)."""
    error = members.get("error")
    if error is None:
        return
    name = error if isinstance(error, str) and error else "invalid_error"
    hide = redactor(response.asked)
    description, uri = members.get("error_description"), members.get("error_uri")
    raise ServerError.named(name)(
        name if name in ServerError.by_error else hide(name),
        hide(description) if isinstance(description, str) else None,
        hide(uri) if isinstance(uri, str) else None,
        status=response.status,
        headers=_headers_of(response),
        retry_after=retry_after(response, now),
    )


@hides_locals
def raise_for_status(response: Response, now: float | None = None) -> None:
    """Raise for any status but 2xx: `TemporarilyUnavailable` for 429 and 503, else `InvalidResponse`."""
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
        "the server refused without saying why in the protocol's terms",
        status=response.status,
        excerpt=excerpt_of(response),
    )


def _headers_of(response: Response) -> Pairs:
    """Return the headers that an error may hold: its `vars()` reach logs, and a cookie may be a session."""
    hide = redactor(response.asked)
    return tuple((name, hide(value)) for name, value in response.headers if name.lower() not in _COOKIES)


@hides_locals
def json_answer(response: Response, what: str, now: float | None = None, *, finite: bool = True) -> dict[str, Any]:
    """Return the JSON object of a successful answer called `what` in messages.

    Raises `ServerError` if it is an OAuth error with any status, `TemporarilyUnavailable` for 429 and 503, and
    `InvalidResponse` with problem `empty`, `not_json`, `not_an_object`, `duplicate_member`, `too_deep` or `status`.
    """
    try:
        members = RedactedDict(parse_object(response.body, finite=finite))
    except JSONProblem as bad:
        if response.status in _BUSY:
            raise_for_status(response, now)
        problem = bad.problem if response.body.strip() else "empty"
        described = f"the {what} is not what the protocol wants: " + ("it is empty" if problem == "empty" else str(bad))
        raise InvalidResponse(problem, described, status=response.status, excerpt=excerpt_of(response)) from None
    raise_oauth_error(response, members, now)
    raise_for_status(response, now)
    return members


def excerpt_of(response: Response) -> str:
    """Return the beginning of an error page, and nothing of any answer that could hold a token."""
    if response.status < 400 or response.media_type not in ("text/html", "text/plain"):
        return ""
    return redactor(response.asked)(response.body.decode("utf-8", "replace"))[
        :200
    ]  # a cut secret would be none to hide
