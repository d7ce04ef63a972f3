"""The challenge of an API, which names the reason for the rejection of a request (RFC 9110 §11.6.1, RFC 6750 §3)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

MOST: Final = 8192
"""Characters of a `WWW-Authenticate` header that are read. Later ones are ignored."""

_PART: Final = re.compile(
    r"""(?P<name>[!#$%&'*+.^_`|~0-9A-Za-z-]+)          # an auth-scheme, or the name of a parameter
        (?:[ \t]*=[ \t]*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<token>[^\s,"=]+)))?""",
    re.VERBOSE,
)
_ESCAPED: Final = re.compile(r"\\(.)")
_ILLEGAL: Final = re.compile(r"[^ !#-\[\]-~]")
"""The characters that `error_description` may not contain (RFC 6750 §3). They are replaced in all quoted strings, so no
character needs an escape."""

_IN_ASCII: Final = str.maketrans({'"': "'", "§": "section ", "…": "..."})
"""Replacements for characters of this library's messages that a challenge cannot contain."""

_SHOWN: Final = 500


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge: its `scheme`, in lower case, and its `parameters`, whose names are in lower case."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])


def challenges_in(value: str | None) -> tuple[Challenge, ...]:
    """Return the challenges in a `WWW-Authenticate` header (RFC 9110 §11.6.1).

    value: the value of the header, or the values of several headers, joined by commas; or None.

    If a challenge repeats a parameter, its last value is used. Parameters before the first scheme are ignored, and so
    is the text after the first 8192 characters.
    """
    found: list[Challenge] = []
    parameters: dict[str, str] = {}
    for part in _PART.finditer((value or "")[:MOST]):
        given = part["token"] if part["quoted"] is None else _ESCAPED.sub(r"\1", part["quoted"])
        if given is None:
            parameters = {}
            found.append(Challenge(part["name"].lower(), parameters))
        else:
            parameters[part["name"].lower()] = given
    return tuple(found)


def is_invalid_token(challenge: str | None) -> bool:
    """Return whether `challenge` has ``Bearer error="invalid_token"`` (RFC 6750 §3.1).

    challenge: the value of a `WWW-Authenticate` header, which may have several challenges, separated by commas.
    """
    return "invalid_token" in _bearer_errors(challenge)


def bearer_error(challenge: str | None) -> str | None:
    """Return the first `error` of a Bearer challenge in `challenge`, a `WWW-Authenticate` header (RFC 6750 §3.1)."""
    return next(iter(_bearer_errors(challenge)), None)


def _bearer_errors(value: str | None) -> list[str]:
    bearer = (one.parameters.get("error") for one in challenges_in(value) if one.scheme == "bearer")
    return [error for error in bearer if error]


def challenge(scheme: str, parameters: Iterable[tuple[str, str | None]]) -> str:
    """Return the value of `WWW-Authenticate` for one scheme (RFC 9110 §11.6.1, RFC 6750 §3).

    scheme: `Bearer` or `DPoP`.
    parameters: names and values in order. A parameter with the value None is omitted.

    Every value becomes a quoted string. Double quotes become single quotes, and other characters that RFC 6750 §3 does
    not allow become question marks, so that no value can end its string or the header. Values are cut after 500
    characters.
    """
    sent = ", ".join(f'{name}="{_quotable(value)}"' for name, value in parameters if value is not None)
    return f"{scheme} {sent}" if sent else scheme


def _quotable(value: str) -> str:
    return _ILLEGAL.sub("?", value[:_SHOWN].translate(_IN_ASCII))
