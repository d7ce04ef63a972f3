"""The provider as others reach it: its public name, the proxies that it trusts, the limits of its connections."""

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
"""Bytes of a request's body."""

_NETLOC = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?")

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of the provider's connections.

    head_seconds: seconds in which the line and the headers of a request must arrive.
    body_seconds: seconds in which its body must arrive, and in which the client must read the response.
    connections: number of open connections; further ones are closed at once.

    Raises `UsageError` for a value of another type.
    """

    head_seconds: float = 10.0
    body_seconds: float = 30.0
    connections: int = 512

    def __post_init__(self) -> None:
        seconds(self.head_seconds, "head_seconds")
        seconds(self.body_seconds, "body_seconds")
        count(self.connections, "connections")


def public_origin(url: str) -> str:
    """Return the origin in `url`, which is one and nothing more. Raises `UsageError` for anything else."""
    parts = split_url(url, "public_url")
    bare = f"{parts.scheme}://{parts.netloc.lower()}"
    if url.lower().removesuffix("/") != bare or not _NETLOC.fullmatch(parts.netloc):
        raise UsageError("public_url is scheme, host and port of the provider, such as https://login.example")
    return bare


class TrustedProxies:
    """The reverse proxies whose `X-Forwarded-For` names the caller; from any other address the header is ignored.

    `networks` are IP addresses or networks (`10.0.0.0/8`). Raises `UsageError` for anything else.
    """

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self.networks = texts(networks, "trusted_proxies")
        self._networks = tuple(_network(one) for one in self.networks)

    def caller(self, peer: str | None, headers: Pairs) -> str | None:
        """Return the caller's address: the last one on the way here that is not a trusted proxy's."""
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
