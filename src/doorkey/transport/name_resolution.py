"""Resolves a host name to the permitted addresses, once, so that the checked address is the one that is used."""

from __future__ import annotations

import socket
from ipaddress import ip_address

from doorkey.errors import TransportError, UsageError, printable
from doorkey.transport.causes import detached
from doorkey.wire.addresses import Address, Permission, permitted

THROUGH_A_PROXY = (
    "this exchange would go through a proxy, which resolves names itself: the address cannot be checked. Give a client "
    "without one (trust_env=False, or the host in NO_PROXY), or omit ExchangePolicy.addresses"
)


def resolve(host: str, port: int, permission: Permission) -> tuple[Address, ...]:
    """Return the addresses of `host`, at least one, all of them permitted, in the order to try them. Blocks.

    port: where a connection is made.
    permission: says of an address whether it may be reached.

    Raises `TransportError` if there is no address, `UsageError` for an invalid name, and `VerificationError` if an
    address is not permitted.
    """
    answers = (host,) if _is_address(host) else _looked_up(host, port)
    if not answers:
        raise TransportError(f"no address was found for {printable(host, 80)}", retryable=True)
    return permitted(host, answers, permission)


async def aresolve(host: str, port: int, permission: Permission) -> tuple[Address, ...]:
    """Return the addresses of `host`, as `resolve` does, which runs in a thread and is left there when cancelled.

    port, permission: as for `resolve`, whose errors it raises.
    """
    from anyio import CapacityLimiter
    from anyio.to_thread import run_sync

    # A limiter of its own: names that never resolve must not use up the threads that the program shares.
    return await run_sync(resolve, host, port, permission, abandon_on_cancel=True, limiter=CapacityLimiter(1))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _looked_up(host: str, port: int) -> tuple[str, ...]:
    # It understands every spelling that a connection would (127.1, 0x7f.1, 2130706433), so they are judged like others.
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise TransportError(f"no address was found for {printable(host, 80)}", retryable=True) from detached(error)
    except UnicodeError:
        raise UsageError(f"{printable(host, 80)!r} is no host name") from None
    return tuple(str(address[0]) for *_, address in found)
