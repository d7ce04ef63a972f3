"""Which URLs an authorization server may be reached at: https, or http on this very machine."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from doorkey.arguments import text
from doorkey.errors import UsageError, printable
from doorkey.values import hides_locals

_DEFAULT_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Scheme, host and port: what decides whether two URLs belong together (RFC 6454 §4)."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def shown_url(url: str) -> str:
    """Return what a message may show of `url`: scheme, host, port and path. The rest may be a password or a token."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a URL that cannot be parsed"
    host = parts.netloc.rpartition("@")[2]
    return printable(f"{parts.scheme}://{host}{parts.path}" if host else parts.path, 200)


@hides_locals
def split_url(url: str, what: str = "URL") -> SplitResult:
    """Return the parts of an absolute http or https URL, or raise `UsageError` naming `what` is wrong with it."""
    text(url, f"the {what}")
    try:
        parts = urlsplit(url)
        _ = parts.port  # reading it is what validates it
    except ValueError:
        raise UsageError(f"the {what} is not a URL: {shown_url(url)!r}") from None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise UsageError(f"the {what} must be an absolute http or https URL, not {shown_url(url)!r}")
    return parts


def origin_of(url: str) -> Origin:
    """Return the origin of an absolute http or https URL, its host as it is asked for in DNS (RFC 5890 §2.3.2.1).

    Raises `UsageError` for any other.
    """
    parts = split_url(url)
    return Origin(parts.scheme, _in_ascii(parts.hostname or ""), parts.port or _DEFAULT_PORTS[parts.scheme])


def _in_ascii(host: str) -> str:
    """Return bücher.example as xn--bcher-kva.example; a name that Python's older rules take for another stays."""
    if host.isascii():
        return host
    try:
        encoded = host.encode("idna")
        return encoded.decode("ascii") if encoded.decode("idna") == host else host
    except UnicodeError:
        return host


def is_loopback(host: str) -> bool:
    """Say whether `host` is this machine: the name `localhost`, or an address that *parses* as loopback.

    `localhost.evil` and `127.0.0.1.evil` are names like any other.
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@hides_locals
def check_endpoint(url: str, what: str = "endpoint") -> str:
    """Return `url` unchanged if an authorization server may be reached at it.

    `what` names the endpoint in the message. Raises `UsageError` for http beyond loopback, and for user information,
    a fragment, a backslash, blanks or control characters anywhere in it (RFC 6749 §3.1, §3.2; RFC 9700 §2.6).
    """
    text(url, f"the {what}")
    if " " in url or "\\" in url or not url.isprintable():  # isprintable: no blank but " ", nothing invisible
        raise UsageError(f"the {what} holds a blank, a control character or a backslash")
    parts = split_url(url, what)
    if "@" in parts.netloc:
        raise UsageError(f"the {what} must not hold a user name or password")
    if parts.fragment or url.endswith("#"):
        raise UsageError(f"the {what} must not have a fragment")
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise UsageError(
            f"the {what} at {printable(parts.hostname or '', 80)} must be https: plain http is for loopback only"
        )
    return url
