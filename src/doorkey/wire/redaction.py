"""What a request says in confidence: a server that repeats it in an error is not quoted on it."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote, quote_plus, unquote_plus, urlsplit

if TYPE_CHECKING:
    from doorkey.wire.messages import Request

HIDDEN: Final = "[hidden]"

_IN_CONFIDENCE: Final = re.compile("(token|secret|password|passcode|assertion|code|verifier|otp|pin)$", re.IGNORECASE)
_ENCODED: Final = re.compile(r"%[0-9A-F]{2}|\\&\w+;|\\&\\#x27;")
"""What an encoding writes for a character, in a pattern: each server in the case it likes."""
_SHORT: Final = 8
"""Characters below which a secret is looked for as a word of its own: `a` as a password is no reason to hide each a."""


def redactor(request: Request | None) -> Callable[[str], str]:
    """Return what takes the secrets that `request` told out of a server's words, for as many as there are."""
    told: set[str] = set()
    if request is not None:
        told = {spelling for secret in _told(request) for spelling in _spellings(secret)}
    patterns = [_pattern(secret) for secret in sorted(told, key=len, reverse=True)]  # one may be part of another

    def hidden(text: str) -> str:
        for pattern in patterns:
            text = pattern.sub(HIDDEN, text)
        return text

    return hidden


def _pattern(secret: str) -> re.Pattern[str]:
    word = _ENCODED.sub(_in_any_case, re.escape(secret))
    return re.compile(word if len(secret) >= _SHORT else rf"(?<!\w){word}(?!\w)")


def _in_any_case(encoded: re.Match[str]) -> str:
    return r"(?:\&\#(?i:x)27;|\&\#39;)" if encoded[0].endswith("x27;") else f"(?i:{encoded[0]})"


def _told(request: Request) -> Iterator[str]:
    body = request.content.decode("utf-8", "replace")
    scheme, _, credentials = (request.header("authorization") or "").partition(" ")
    parameters = [*parse_qsl(urlsplit(request.url).query), *parse_qsl(body), ("token", credentials)]
    if scheme.lower() == "basic":
        with suppress(ValueError):  # an auth method of the user's own may have written anything
            password = b64decode(credentials).decode("utf-8", "replace").partition(":")[2]
            parameters += [("client_secret", password), ("client_secret", unquote_plus(password))]
    for name, value in parameters:
        # A demo's password is `password`, and to hide that word would hide what the server means.
        if value and _IN_CONFIDENCE.search(name) and not _IN_CONFIDENCE.fullmatch(value):
            yield value


def _spellings(secret: str) -> tuple[str, ...]:
    from html import escape

    return secret, quote(secret, safe=""), quote_plus(secret), escape(secret)
