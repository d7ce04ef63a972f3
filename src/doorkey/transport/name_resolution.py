"""Resolves a host name once to permitted addresses, so that the request uses an address that was checked."""

from __future__ import annotations

import socket
from ipaddress import ip_address

from doorkey.errors import TransportError, UsageError, printable
from doorkey.transport.scrubbed_causes import detached
from doorkey.wire.addresses import Address, Permission, permitted

THROUGH_A_PROXY = (
    "this exchange would go through a proxy, which resolves names itself: the address cannot be checked. Give a client "
    "without one (trust_env=False, or the host in NO_PROXY), or omit ExchangePolicy.addresses"
)


def resolve(host: str, port: int, permission: Permission) -> tuple[Address, ...]:
    """Return the addresses of `host`, at least one, in the order in which to try them. All are permitted. Blocks.

    host: a name, or an address as text.
    port: the port of the connection.
    permission: returns whether a connection to an address is permitted.

    Raises `TransportError` if there is no address, `UsageError` for an invalid name, and `VerificationError` if an
    address is not permitted.
    """
    answers = (host,) if _is_address(host) else _resolve_name(host, port)
    if not answers:
        raise TransportError(f"no address was found for {printable(host, 80)}", retryable=True)
    return permitted(host, answers, permission)


async def aresolve(host: str, port: int, permission: Permission) -> tuple[Address, ...]:
    """Run `resolve` in a thread and return its result. If the caller is canceled, the thread is abandoned.

    The parameters and the errors are those of `resolve`.
    """
    from anyio import CapacityLimiter
    from anyio.to_thread import run_sync

    # With its own limiter, because names that never resolve must not use up the thread limit of the program.
    return await run_sync(resolve, host, port, permission, abandon_on_cancel=True, limiter=CapacityLimiter(1))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _resolve_name(host: str, port: int) -> tuple[str, ...]:
    # `getaddrinfo` accepts every spelling of an address that a connection would (127.1, 0x7f.1, 2130706433), so these
    # are checked too.
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise TransportError(f"no address was found for {printable(host, 80)}", retryable=True) from detached(error)
    except UnicodeError:
        raise UsageError(f"{printable(host, 80)!r} is not a valid host name") from None
    return tuple(str(address[0]) for *_, address in found)
