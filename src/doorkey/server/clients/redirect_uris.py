"""The redirect URIs that a client may use (RFC 6749 §3.1.2, RFC 9700 §4.1, RFC 8252 §7.3)."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from doorkey.errors import UsageError
from doorkey.wire.urls import check_endpoint, is_loopback

ANY_PATH = "/*"

_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_DOTS = re.compile(r"(^|/)(\.|%2e){1,2}(/|$)", re.IGNORECASE)


def is_registered(uri: str, registered: tuple[str, ...]) -> bool:
    """Return whether `uri` is one of the `registered` URIs, compared as strings.

    On `http` loopback any port matches, because an app cannot know its port in advance, and a registered path may end
    in `/*`. A URI with characters outside printable ASCII is not registered (RFC 3986 §2).
    """
    if not _PRINTABLE.fullmatch(uri):
        return False
    return uri in registered or any(_is_same_loopback(uri, pattern) for pattern in registered)


def is_origin_of(origin: str, registered: tuple[str, ...]) -> bool:
    """Return whether `origin`, such as ``https://app.example``, is the origin of one of the `registered` URIs.

    On `http` loopback any port matches.
    """
    try:
        given = urlsplit(origin)
    except ValueError:  # invalid IPv6 address in brackets
        return False
    for uri in registered:
        wanted = urlsplit(uri)
        if origin == f"{wanted.scheme}://{wanted.netloc}":
            return True
        is_local = wanted.scheme == "http" and is_loopback(wanted.hostname or "")
        if is_local and origin == f"http://{given.netloc}" and given.hostname == wanted.hostname:
            return True
    return False


def only_one(registered: tuple[str, ...]) -> str | None:
    """Return the default redirect URI: the only registered URI, or None (RFC 6749 §3.1.2.3)."""
    return registered[0] if len(registered) == 1 and not registered[0].endswith(ANY_PATH) else None


def _is_same_loopback(uri: str, pattern: str) -> bool:
    wanted = urlsplit(pattern)
    if wanted.scheme != "http" or not is_loopback(wanted.hostname or ""):
        return False
    try:
        check_endpoint(uri, "redirect_uri")
    except UsageError:
        return False
    given = urlsplit(uri)
    if (given.scheme, given.hostname) != (wanted.scheme, wanted.hostname):
        return False
    if pattern.endswith(ANY_PATH):
        return given.path.startswith(wanted.path[:-1]) and not _DOTS.search(given.path)
    return _without_port(given) == _without_port(wanted)


def _without_port(parts: SplitResult) -> str:
    return parts._replace(netloc=parts.hostname or "").geturl()
