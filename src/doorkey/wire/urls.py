"""Which URLs an authorization server may be reached at: https, or http on this machine and on hosts that are named."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

from doorkey.arguments import text, texts
from doorkey.errors import UsageError, printable
from doorkey.values import MASK, hides_locals, unguarded

_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?")
"""A name as DNS and containers have it, an IPv4 address included."""

_ACCOUNT_SCHEMES: Final = frozenset({"acct", "mailto"})
_DEFAULT_PORTS = {"http": 80, "https": 443}
WELL_KNOWN: Final = "/.well-known/"
"""The prefix of well-known paths, which a server appends to its issuer or puts before its path (RFC 8615 §3)."""


class Origin(NamedTuple):
    """Scheme, host and port: what decides whether two URLs belong together (RFC 6454 §4)."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def shown_url(url: str) -> str:
    """Return the parts of `url` that a message may show: scheme, host, port and path. The rest may be a password or a
    token.

    Of a URL without an authority, for instance ``acct:alice@example.com``, it is the scheme and the path.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a URL that cannot be parsed"
    host = parts.netloc.rpartition("@")[2]
    if host:
        return printable(f"{parts.scheme}://{host}{parts.path}", 200)
    if not parts.scheme:
        return printable(parts.path, 200)
    account, _, domain = parts.path.rpartition("@")
    if account and parts.scheme not in _ACCOUNT_SCHEMES:  # user:password@host, without its scheme
        account = MASK
    return printable(f"{parts.scheme}:{account}@{domain}" if account else f"{parts.scheme}:{parts.path}", 200)


def origin_shown(url: str) -> str:
    """Return scheme, host and port of a checked `url` as text, the port only where the URL names it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def how_issuers_differ(named: object, issuer: object) -> str:
    """Return the hint of a message about the issuer that is `named` in place of `issuer`, for three common mistakes.

    "" for any other difference. Issuers are compared exactly (RFC 8414 §3.3); a slash counts.
    """
    if not isinstance(named, str) or not isinstance(issuer, str) or named == issuer:
        return ""
    if named.rstrip("/") == issuer.rstrip("/"):
        return ": they differ by a slash at the end"
    if WELL_KNOWN in issuer and issuer.partition(WELL_KNOWN)[0].rstrip("/") == named.rstrip("/"):
        return f": give the issuer without its {WELL_KNOWN} suffix"
    if "{tenantid}" in named:
        return ": this server has many tenants, each with an issuer; give tenant_issuer=TenantIssuer(…)"
    return ""


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


_split_url = unguarded(split_url)


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
def check_endpoint(url: str, what: str = "endpoint", http_hosts: Collection[str] = ()) -> str:
    """Return `url` unchanged if an authorization server may be reached at it.

    `what` names the endpoint in the message. `http_hosts` are the hosts beside loopback that plain http may reach.
    Raises `UsageError` for http to another host, and for user information, a fragment, a backslash, blanks or control
    characters anywhere in it (RFC 6749 §3.1, §3.2; RFC 9700 §2.6).
    """
    text(url, f"the {what}")
    if " " in url or "\\" in url or not url.isprintable():  # isprintable: no blank but " ", nothing invisible
        raise UsageError(f"the {what} holds a blank, a control character or a backslash")
    parts = _split_url(url, what)
    if "@" in parts.netloc:
        raise UsageError(f"the {what} must not hold a user name or password")
    if parts.fragment or url.endswith("#"):
        raise UsageError(f"the {what} must not have a fragment")
    host = parts.hostname or ""
    if parts.scheme != "https" and not is_loopback(host) and host not in http_hosts:
        shown = printable(host, 80)
        raise UsageError(
            f"the {what} at {shown} must be https: plain http is for loopback only. For a host of your own network, "
            "such as a container of a compose file, a program can give "
            f"exchange=ExchangePolicy(http_hosts={{{shown!r}}})"
        )
    return url


def http_hosts_of(given: object) -> frozenset[str]:
    """Return the names of hosts that a program allows plain http to, in lower case.

    Raises `UsageError` for a URL, a port, an IPv6 address or a pattern.
    """
    names = texts(given, "http_hosts")
    for name in names:
        if _HOST.fullmatch(name) is None:
            raise UsageError('http_hosts are names of hosts without scheme and port, for instance {"keycloak"}')
    return frozenset(name.lower() for name in names)


def http_host_of(url: str) -> tuple[str, ...]:
    """Return the host of a `url` that was checked and is plain http, as the `http_hosts` of `check_endpoint`.

    A request that a hook or a client authentication method changed may go to the same host, and to no other one.
    """
    parts = split_url(url)
    return (parts.hostname or "",) if parts.scheme == "http" else ()
