"""Redaction of the server's texts in errors: they contain no secret of the request, and nothing like a token."""

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
"""Parameters and headers whose values are not secrets by their specifications. Every other value counts as a secret."""
_IN_CONFIDENCE: Final = re.compile("(token|secret|password|passcode|assertion|code|verifier|otp|pin)$", re.IGNORECASE)
"""Names whose values are hidden even if they are short."""
_ENCODED: Final = re.compile(r"%[0-9A-F]{2}|\\&\w+;|\\&\\#x27;")
"""The encodings of a character in an escaped pattern: their upper and lower case are equivalent."""
_SHORT: Final = 8
"""A secret with fewer characters is hidden only as a separate word: the password `a` must not hide each letter a."""
_SHORTEST: Final = 4
"""A value with fewer characters is not hidden, unless `_IN_CONFIDENCE` matches its name: `1`, `yes`."""

# Each pattern begins at the beginning of a run of its characters, and does not backtrack into it. So each character is
# examined once, and a server that sends 64 KiB of `x` in an error does not delay its clients.
_MEMBER: Final = re.compile(
    r"""(["']?(?<![\w.-])(?=[\w.-]*?(?:token|secret|passw|pwd|pass|assertion|code|verifier|jwt|hint|key|otp|pin|credential|
    auth|cookie|session))[\w.-]++["']?\s*+[:=]\s*)(?!\d{1,3}\b|null|true|false|[\[{])("[^"]*"?|'[^']*'?|[^\s&,;}\]<]+)""",
    re.IGNORECASE | re.VERBOSE,
)
_SCHEME: Final = re.compile(r"\b(Bearer|Basic|DPoP)\s+(?!error|realm|token\b)[^\s\"',<]{4,}", re.IGNORECASE)
_LONG_RUN: Final = re.compile(r"(?<![A-Za-z0-9_+/=.~-])(?=[A-Za-z_+/=.~-]*\d)[A-Za-z0-9_+/=.~-]{20,}")
"""A text that looks like a token: a long run of token characters with at least one digit."""
_RUN: Final = re.compile(r"(?<![A-Za-z0-9_+/=.~-])(?=[A-Za-z_+/=.~-]*\d)[A-Za-z0-9_+/=.~-]{6,}")
"""A text that may be a token, in a response that should have contained a token: a shorter run is enough."""


def redactor(request: Request | None) -> Callable[[str], str]:
    """Return a function that hides the secrets of `request` in a server's text, whether plain, URL- or HTML-encoded."""
    secrets: set[str] = set()
    if request is not None:
        secrets = {spelling for secret in _secrets_of(request) for spelling in _spellings(secret)}
    patterns = [_pattern(secret) for secret in sorted(secrets, key=len, reverse=True)]  # one may be part of another

    def hidden(text: str) -> str:
        for pattern in patterns:
            text = pattern.sub(HIDDEN, text)
        return text

    return hidden


def without_tokens(text: str, *, in_success: bool = False) -> str:
    """Return `text` with every part hidden that looks like a token or a secret, even if the request did not contain it.

    in_success: True for a successful response, which may contain a token. Then shorter runs of characters are hidden.
    """
    text = _SCHEME.sub(rf"\1 {HIDDEN}", text)
    return (_RUN if in_success else _LONG_RUN).sub(HIDDEN, _MEMBER.sub(rf"\1{HIDDEN}", text))


def names_of_form(text: str) -> str:
    """Return a form-encoded `text` with its names, and with its values hidden: each value may be a token."""
    return "&".join(f"{name}={HIDDEN}" for name, _ in parse_qsl(text, keep_blank_values=True, max_num_fields=1000))


def _pattern(secret: str) -> re.Pattern[str]:
    word = _ENCODED.sub(_in_any_case, re.escape(secret))
    return re.compile(word if len(secret) >= _SHORT else rf"(?<!\w){word}(?!\w)")


def _in_any_case(encoded: re.Match[str]) -> str:
    return r"(?:\&\#(?i:x)27;|\&\#39;)" if encoded[0].endswith("x27;") else f"(?i:{encoded[0]})"


def _secrets_of(request: Request) -> Iterator[str]:
    body = request.content.decode("utf-8", "replace")
    scheme, _, credentials = (request.header("authorization") or "").partition(" ")
    headers = [(name, value) for name, value in request.headers if name.lower() != "authorization"]
    parameters = [*parse_qsl(urlsplit(request.url).query), *parse_qsl(body), ("token", credentials), *headers]
    if scheme.lower() == "basic":
        with suppress(ValueError):  # a client authentication method of the user may have written anything
            password = b64decode(credentials).decode("utf-8", "replace").partition(":")[2]
            parameters += [("client_secret", password), ("client_secret", unquote_plus(password))]
    for name, value in parameters:
        if name.lower() in _SHOWN or not value:
            continue
        # The password of a demo is `password`. To hide that word would make the server's message useless.
        confidential = _IN_CONFIDENCE.search(name) is not None
        if (confidential or len(value) >= _SHORTEST) and not _IN_CONFIDENCE.fullmatch(value):
            yield value


def _spellings(secret: str) -> tuple[str, ...]:
    from html import escape

    return secret, quote(secret, safe=""), quote_plus(secret), escape(secret)
