"""Finds the access token in a request to an API (RFC 6750 §2, RFC 9449 §7.1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from doorkey.protocol.rejections import MalformedRequest
from doorkey.values import Secret, hides_locals

MAX_TOKEN: Final = 64 * 1024
"""The largest token, in characters."""

PARAMETER: Final = "access_token"
_SCHEMES: Final = {"bearer": "Bearer", "dpop": "DPoP"}
_LEGAL: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"
"""The characters of a `b64token` before the equals signs at its end (RFC 6750 §2.1)."""


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """The access token of a request; `scheme` is `Bearer` or `DPoP`."""

    scheme: str
    token: Secret


@hides_locals
def presented_token(
    headers: Iterable[tuple[str, str]],
    query: str = "",
    form: Iterable[tuple[str, str]] = (),
    *,
    in_query: bool = False,
) -> PresentedToken | None:
    """Return the access token of a request, or None if it has none.

    headers: all headers, as pairs.
    query: the query of the URL, without the question mark.
    form: the parameters of a form-encoded body, if the API accepts a token there (RFC 6750 §2.2).
    in_query: True to accept a token in the query (RFC 6750 §2.3). URLs appear in logs and at other sites, so RFC 9700
        §4.3.2 forbids it.

    Raises `MalformedRequest` for two tokens or two `Authorization` headers, for an illegal or too long token, and for a
    token in the query unless `in_query` (RFC 6750 §3.1).
    """
    found = _in_header([value for name, value in headers if name.lower() == "authorization"])
    queried = [value for name, value in parse_qsl(query, keep_blank_values=True) if name == PARAMETER] if query else []
    posted = [value for name, value in form if name == PARAMETER]
    if queried and not in_query:
        raise MalformedRequest("access_token", "is in the query of the URL: send it as Authorization: Bearer …")
    if len(queried) + len(posted) + (found is not None) > 1:
        raise MalformedRequest("access_token", "is sent more than once: send it once, as Authorization: Bearer …")
    others = [PresentedToken("Bearer", Secret(_legal(value))) for value in (*queried, *posted)]
    return found or (others[0] if others else None)


def _in_header(values: list[str]) -> PresentedToken | None:
    if len(values) > 1:
        raise MalformedRequest("Authorization", "occurs more than once: send the header once")
    scheme, _, rest = (values[0] if values else "").strip().partition(" ")
    known = _SCHEMES.get(scheme.lower())
    return None if known is None else PresentedToken(known, Secret(_legal(rest.strip(" "))))


def _legal(token: str) -> str:
    if len(token) > MAX_TOKEN:
        raise MalformedRequest("access_token", f"is longer than {MAX_TOKEN} characters")
    content = token.rstrip("=")
    # Ten times as fast as a regular expression, and done for every request.
    if not content or not content.isascii() or content.encode("ascii").translate(None, _LEGAL):
        raise MalformedRequest("access_token", "is empty, or has characters that are not legal (RFC 6750 §2.1)")
    return token
