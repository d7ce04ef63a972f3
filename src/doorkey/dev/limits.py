"""The public origin of a provider, its trusted proxies, and the limits of its connections."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from doorkey.arguments import count, seconds, texts
from doorkey.errors import UsageError, printable
from doorkey.wire.messages import Pairs
from doorkey.wire.urls import split_url

MAX_HOPS = 32
MAX_BODY = 256 * 1024
"""The limit for the body of a request, in bytes."""

_NETLOC = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?")

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of the provider's connections.

    head_seconds: seconds in which the request line and the headers must arrive.
    body_seconds: seconds in which the body must arrive, and in which the client must read the response.
    connections: number of open connections; further connections are closed at once.

    Raises `UsageError` for an invalid value.
    """

    head_seconds: float = 10.0
    body_seconds: float = 30.0
    connections: int = 512

    def __post_init__(self) -> None:
        seconds(self.head_seconds, "head_seconds")
        seconds(self.body_seconds, "body_seconds")
        count(self.connections, "connections")


def public_origin(url: str) -> str:
    """Return the origin `url` in lower case. Raises `UsageError` for anything but an origin."""
    parts = split_url(url, "public_url")
    bare = f"{parts.scheme}://{parts.netloc.lower()}"
    if url.lower().removesuffix("/") != bare or not _NETLOC.fullmatch(parts.netloc):
        raise UsageError("public_url must be scheme, host and port of the provider, such as https://login.example")
    return bare


class TrustedProxies:
    """The reverse proxies whose `X-Forwarded-For` is trusted. From any other address the header is ignored.

    networks: their IP addresses or networks (`10.0.0.0/8`).

    Raises `UsageError` for anything else.
    """

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self.networks = texts(networks, "trusted_proxies")
        self._networks = tuple(_network(one) for one in self.networks)

    def caller(self, peer: str | None, headers: Pairs) -> str | None:
        """Return the caller's address: the last hop in `X-Forwarded-For` and `peer` that is not a trusted proxy.

        `peer` is the address of the connection's other end, or None if it is not known. The result is None then.
        """
        lines = [value for name, value in headers if name.lower() == "x-forwarded-for"]
        address = peer
        for hop in reversed(",".join(lines).rsplit(",", MAX_HOPS)[-MAX_HOPS:]):
            if address is None or not self._trusts(address) or not _is_address(hop.strip()):
                break
            address = hop.strip()
        return address

    def _trusts(self, address: str) -> bool:
        return _is_address(address) and any(ipaddress.ip_address(address) in network for network in self._networks)


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        shown = printable(text, 80)
        raise UsageError(f"trusted_proxies are IP addresses or networks such as 10.0.0.0/8, not {shown!r}") from None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
