"""The URLs that an authorization server may have: https, or http on loopback and on hosts that the program allows."""

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
"""A host name as in DNS or of a container, or an IPv4 address."""

_ACCOUNT_SCHEMES: Final = frozenset({"acct", "mailto"})
_DEFAULT_PORTS = {"http": 80, "https": 443}
WELL_KNOWN: Final = "/.well-known/"
"""The prefix of well-known paths, which come after the issuer URL or before its path (RFC 8615 §3)."""


class PlainHTTPError(UsageError):
    """A URL has the scheme http and a host to which plain http is not allowed."""


class Origin(NamedTuple):
    """The origin of a URL: scheme, host and port (RFC 6454 §4)."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def shown_url(url: str) -> str:
    """Return the parts of `url` that a message may show: scheme, host, port and path.

    The other parts may contain a password or a token. For a URL without an authority, for instance
    ``acct:alice@example.com``, these are the scheme and the path; a user part before ``@`` is hidden if its scheme is
    neither `acct` nor `mailto`.
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
    """Return the scheme and host of a checked `url` as text, with the port if the URL contains one."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def how_issuers_differ(named: object, issuer: object) -> str:
    """Return the hint of a message about metadata or a token with another issuer, for three common mistakes.

    named: the issuer in the metadata or token.
    issuer: the expected issuer.

    Return "" for any other difference. Issuers are compared exactly, including a slash at the end (RFC 8414 §3.3).
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
    """Return the parts of an absolute http or https URL. Raises `UsageError` for any other URL.

    what: the name of the URL in the message.
    """
    text(url, f"the {what}")
    try:
        parts = urlsplit(url)
        _ = parts.port  # Python validates the port when this property is read
    except ValueError:
        raise UsageError(f"the {what} is not a URL: {shown_url(url)!r}") from None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise UsageError(f"the {what} must be an absolute http or https URL, not {shown_url(url)!r}")
    return parts


_split_url = unguarded(split_url)


def origin_of(url: str) -> Origin:
    """Return the origin of an absolute http or https URL, with its host in the ASCII form of DNS (RFC 5890 §2.3.2.1).

    Raises `UsageError` for any other URL.
    """
    parts = split_url(url)
    return Origin(parts.scheme, _in_ascii(parts.hostname or ""), parts.port or _DEFAULT_PORTS[parts.scheme])


def _in_ascii(host: str) -> str:
    """Return the ASCII form of a name, or `host` unchanged if the IDNA 2003 rules of Python map it to another name."""
    if host.isascii():
        return host
    try:
        encoded = host.encode("idna")
        return encoded.decode("ascii") if encoded.decode("idna") == host else host
    except UnicodeError:
        return host


def is_loopback(host: str) -> bool:
    """Return whether `host` is this machine: the name `localhost`, or a text that *parses* as a loopback address.

    `localhost.evil` and `127.0.0.1.evil` are ordinary names, which may be other machines.
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@hides_locals
def check_endpoint(url: str, what: str = "endpoint", http_hosts: Collection[str] = ()) -> str:
    """Return `url` unchanged if requests to an authorization server may be sent to it.

    what: the name of the endpoint in the message.
    http_hosts: the hosts beside loopback that plain http may reach.

    Raises `PlainHTTPError` for http to another host, and `UsageError` for user information, a fragment, a backslash,
    spaces or control characters in the URL (RFC 6749 §3.1, §3.2; RFC 9700 §2.6).
    """
    text(url, f"the {what}")
    if " " in url or "\\" in url or not url.isprintable():  # printable: no white space but " ", no invisible character
        raise UsageError(f"the {what} contains a space, a control character or a backslash")
    parts = _split_url(url, what)
    if "@" in parts.netloc:
        raise UsageError(f"the {what} must not contain a user name or password")
    if parts.fragment or url.endswith("#"):
        raise UsageError(f"the {what} must not have a fragment")
    host = parts.hostname or ""
    if parts.scheme != "https" and not is_loopback(host) and host not in http_hosts:
        shown = printable(host, 80)
        raise PlainHTTPError(
            f"the {what} at {shown} must be https: plain http is for loopback only. For a host of your own network, "
            "such as a container of a compose file, a program can give "
            f"exchange=ExchangePolicy(http_hosts={{{shown!r}}})"
        )
    return url


def http_hosts_of(given: object) -> frozenset[str]:
    """Return the host names to which a program allows plain http, in lower case.

    Raises `UsageError` for a URL, a name with a port, an IPv6 address or a pattern.
    """
    names = texts(given, "http_hosts")
    for name in names:
        if _HOST.fullmatch(name) is None:
            raise UsageError('http_hosts are host names without scheme and port, for instance {"keycloak"}')
    return frozenset(name.lower() for name in names)


def http_host_of(url: str) -> tuple[str, ...]:
    """Return the host of a checked `url` if its scheme is http, as the `http_hosts` of `check_endpoint`, else ().

    A request that a hook or a client authentication method has changed may then use plain http to this host only.
    """
    parts = split_url(url)
    return (parts.hostname or "",) if parts.scheme == "http" else ()
