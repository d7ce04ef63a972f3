"""What an error may quote from a server: no secret that the request sent, and nothing that looks like a token."""

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

_SHOWN: Final = frozenset(
    {
        *("grant_type", "response_type", "response_mode", "client_id", "redirect_uri", "scope", "username", "prompt"),
        *("audience", "resource", "issuer", "client_assertion_type", "code_challenge_method", "token_type_hint"),
        *("subject_token_type", "actor_token_type", "requested_token_type", "acr_values", "ui_locales", "max_age"),
        *("accept", "accept-encoding", "content-type", "content-length", "user-agent", "host", "connection"),
    }
)
"""Parameters and headers whose values the specifications define as no secrets. Every other value is one."""
_IN_CONFIDENCE: Final = re.compile("(token|secret|password|passcode|assertion|code|verifier|otp|pin)$", re.IGNORECASE)
"""Names whose values are hidden however short they are."""
_ENCODED: Final = re.compile(r"%[0-9A-F]{2}|\\&\w+;|\\&\\#x27;")
"""The encodings of a character as a pattern, in upper and lower case."""
_SHORT: Final = 8
"""Characters below which a secret is looked for as a word of its own: `a` as a password is no reason to hide each a."""
_SHORTEST: Final = 4
"""Characters below which the value of a parameter that no specification names is no secret: `1`, `yes`."""

# Each pattern begins where a run of its characters begins, and never goes back into it: each character is examined
# once, and a server that sends 64 KiB of `x` in an error does not delay its clients.
_MEMBER: Final = re.compile(
    r"""(["']?(?<![\w.-])(?=[\w.-]*?(?:token|secret|passw|pwd|pass|assertion|code|verifier|jwt|hint|key|otp|pin|credential|
    auth|cookie|session))[\w.-]++["']?\s*+[:=]\s*)(?!\d{1,3}\b|null|true|false|[\[{])("[^"]*"?|'[^']*'?|[^\s&,;}\]<]+)""",
    re.IGNORECASE | re.VERBOSE,
)
_SCHEME: Final = re.compile(r"\b(Bearer|Basic|DPoP)\s+(?!error|realm|token\b)[^\s\"',<]{4,}", re.IGNORECASE)
_LONG_RUN: Final = re.compile(r"(?<![A-Za-z0-9_+/=.~-])(?=[A-Za-z_+/=.~-]*\d)[A-Za-z0-9_+/=.~-]{20,}")
"""A text that looks like a token: a long run of its characters with a digit among them."""
_RUN: Final = re.compile(r"(?<![A-Za-z0-9_+/=.~-])(?=[A-Za-z_+/=.~-]*\d)[A-Za-z0-9_+/=.~-]{6,}")
"""A text that may be a token, in a response that should have contained one."""


def redactor(request: Request | None) -> Callable[[str], str]:
    """Return a function that hides in a server's text the secrets that `request` sent, in every usual encoding."""
    told: set[str] = set()
    if request is not None:
        told = {spelling for secret in _told(request) for spelling in _spellings(secret)}
    patterns = [_pattern(secret) for secret in sorted(told, key=len, reverse=True)]  # one may be part of another

    def hidden(text: str) -> str:
        for pattern in patterns:
            text = pattern.sub(HIDDEN, text)
        return text

    return hidden


def without_tokens(text: str, *, in_success: bool = False) -> str:
    """Return `text` with what looks like a token or a secret hidden: the request need not have sent it.

    in_success: it is a response that was to bring a token, so that short ones are looked for too.
    """
    text = _SCHEME.sub(rf"\1 {HIDDEN}", text)
    return (_RUN if in_success else _LONG_RUN).sub(HIDDEN, _MEMBER.sub(rf"\1{HIDDEN}", text))


def names_of_form(text: str) -> str:
    """Return a form-encoded `text` with its names alone: each value may be a token."""
    return "&".join(f"{name}={HIDDEN}" for name, _ in parse_qsl(text, keep_blank_values=True, max_num_fields=1000))


def _pattern(secret: str) -> re.Pattern[str]:
    word = _ENCODED.sub(_in_any_case, re.escape(secret))
    return re.compile(word if len(secret) >= _SHORT else rf"(?<!\w){word}(?!\w)")


def _in_any_case(encoded: re.Match[str]) -> str:
    return r"(?:\&\#(?i:x)27;|\&\#39;)" if encoded[0].endswith("x27;") else f"(?i:{encoded[0]})"


def _told(request: Request) -> Iterator[str]:
    body = request.content.decode("utf-8", "replace")
    scheme, _, credentials = (request.header("authorization") or "").partition(" ")
    headers = [(name, value) for name, value in request.headers if name.lower() != "authorization"]
    parameters = [*parse_qsl(urlsplit(request.url).query), *parse_qsl(body), ("token", credentials), *headers]
    if scheme.lower() == "basic":
        with suppress(ValueError):  # an auth method of the user's own may have written anything
            password = b64decode(credentials).decode("utf-8", "replace").partition(":")[2]
            parameters += [("client_secret", password), ("client_secret", unquote_plus(password))]
    for name, value in parameters:
        if name.lower() in _SHOWN or not value:
            continue
        # A demo's password is `password`, and to hide that word would hide what the server means.
        confidential = _IN_CONFIDENCE.search(name) is not None
        if (confidential or len(value) >= _SHORTEST) and not _IN_CONFIDENCE.fullmatch(value):
            yield value


def _spellings(secret: str) -> tuple[str, ...]:
    from html import escape

    return secret, quote(secret, safe=""), quote_plus(secret), escape(secret)
