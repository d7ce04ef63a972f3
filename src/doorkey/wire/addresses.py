"""The addresses to which a program may connect for an untrusted host name (RFC 6890).

The networks are listed here, because `is_global` of `ipaddress` differs between releases of Python (6to4 is global
before 3.13), and returns True for multicast and for a private address in NAT64.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, TypeAlias

from doorkey.errors import UsageError, VerificationError, printable

Address: TypeAlias = IPv4Address | IPv6Address
Permission: TypeAlias = Callable[[Address], bool]
"""A callable that returns whether a connection to an address is permitted."""

_NOT_PUBLIC: Final = tuple(
    map(
        IPv4Network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
            *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
            *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
            "168.63.129.16/32",  # in a public range, but on Azure it is the host itself, which serves its metadata
        ),
    )
)
_PUBLIC_6: Final = IPv6Network("2000::/3")
_NOT_PUBLIC_6: Final = tuple(
    map(
        IPv6Network,
        # Protocol assignments with Teredo, documentation, 6to4, documentation
        ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")


def public_address(address: Address) -> bool:
    """Return whether `address` is publicly reachable. Pass this function as `ExchangePolicy(addresses=public_address)`.

    address: an `IPv4Address` or `IPv6Address` of the module `ipaddress`.

    Not public are private, shared, loopback, link-local, multicast, reserved, benchmark and documentation addresses
    (RFC 6890), the addresses of cloud metadata services, and IPv6 addresses that embed one of these (mapped: RFC 4291
    §2.5.5.2; NAT64: RFC 6052 §2.1). Teredo and 6to4 are never public. Raises `UsageError` for any other value.
    """
    given: object = address
    if not isinstance(given, IPv4Address | IPv6Address):
        raise UsageError(f"the address must be an IPv4Address or IPv6Address of ipaddress, not {type(given).__name__}")
    if isinstance(given, IPv6Address):
        embedded = given.ipv4_mapped or (IPv4Address(int(given) & 0xFFFFFFFF) if given in _NAT64 else None)
        if embedded is None:
            return given in _PUBLIC_6 and not any(given in network for network in _NOT_PUBLIC_6)
        given = embedded
    return not any(given in network for network in _NOT_PUBLIC)


def permitted(host: str, answers: Iterable[str], permission: Permission) -> tuple[Address, ...]:
    """Return the addresses to which `host` was resolved, in their order and without duplicates, if all are permitted.

    host: the name, for the message.
    answers: the addresses as text. An IPv4-mapped address counts as the IPv4 address that it contains.
    permission: returns whether a connection to an address is permitted.

    Raises `VerificationError` if any address is refused, because a name with a public and a private address may be an
    attack. It is neither a mistake of the caller nor a network error, and a retry would not help. The message contains
    no address, so that the party that chose the name cannot explore a network with it.
    """
    addresses = tuple(dict.fromkeys(map(_plain, answers)))
    if not all(permission(address) for address in addresses):
        raise VerificationError(
            "host",
            f"{printable(host, 80)} resolves to an address that ExchangePolicy.addresses refuses, so nothing was sent: "
            "omit addresses= for a server that you chose yourself",
        )
    return addresses


def _plain(answer: str) -> Address:
    address = ip_address(answer.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address
