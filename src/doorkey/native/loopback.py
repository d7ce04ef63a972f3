"""The redirect URI on this machine, and the sockets that listen for it (RFC 8252 §7.3)."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from doorkey.arguments import count, each
from doorkey.errors import UsageError
from doorkey.native.errors import NoFreePort
from doorkey.wire.urls import check_endpoint, is_loopback

REDIRECT_URI: Final = "http://127.0.0.1/callback"
ANY_PORT: Final = (0,)
_TRIES: Final = 20
"""The maximum number of ports that the system picks, until one is free for IPv4 and IPv6."""
_BACKLOG: Final = 128
_ABSENT: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.ENOENT})
"""The errors of a machine without IPv6, or without IPv4."""


@dataclass(frozen=True, slots=True)
class Target:
    """A redirect URI without its port, and the ports that are tried in turn; 0 means any free port."""

    uri: str
    ports: tuple[int, ...]

    @classmethod
    def of(cls, redirect_uri: str, ports: Iterable[int]) -> Target:
        """Return the target for these arguments. Raises `UsageError`."""
        parts = urlsplit(check_endpoint(redirect_uri, "redirect_uri"))
        if parts.scheme != "http" or not is_loopback(parts.hostname or ""):
            raise UsageError(
                f"redirect_uri must be an http URL of this machine, such as {REDIRECT_URI}: for any other URI, use "
                "login_by_pasting"
            )
        tried = tuple(
            count(one, "a port", least=0, most=65535) for one in each(ports, int, "ports must be a list of ports")
        )
        if parts.port is not None and tried == ANY_PORT:
            tried = (parts.port,)
        elif parts.port is not None and tried != (parts.port,):
            raise UsageError("redirect_uri has a port, and ports= has other ports: use only one of them")
        if not tried:
            raise UsageError("ports must be a list of at least one port; 0 means any free port")
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        return cls(urlunsplit(parts._replace(netloc=host)), tried)

    def at(self, port: int) -> str:
        """Return the redirect URI with `port`."""
        parts = urlsplit(self.uri)
        return urlunsplit(parts._replace(netloc=f"{parts.netloc}:{port}"))

    def listen(self) -> tuple[str, tuple[socket.socket, ...]]:
        """Return the redirect URI with its port, and the sockets that listen there. Raises `NoFreePort`."""
        host = urlsplit(self.uri).hostname or ""
        needed = {"localhost": ()}.get(host, (socket.AF_INET6 if ":" in host else socket.AF_INET,))
        for port in self.ports:
            for _ in range(_TRIES if port == 0 else 1):
                listeners = _both(port, needed)
                if listeners:
                    return self.at(listeners[0].getsockname()[1]), listeners
        tried = ", ".join(str(port) for port in self.ports)
        raise NoFreePort(None if self.ports == ANY_PORT else f"No port of the list is free: {tried}.")


def _both(port: int, needed: tuple[int, ...]) -> tuple[socket.socket, ...]:
    """Return sockets that listen at one port of 127.0.0.1 and [::1]; () if it is in use at one of these addresses.

    If the program listened at only one address, another program could receive the response at the other (RFC 8252
    §8.3).
    """
    listeners: list[socket.socket] = []
    try:
        for family in (socket.AF_INET, socket.AF_INET6):
            try:
                listeners.append(_listening(family, listeners[0].getsockname()[1] if listeners else port))
            except OSError as error:
                if error.errno not in _ABSENT or family in needed:
                    raise
    except OSError:
        close_all(listeners)
        return ()
    except BaseException:
        close_all(listeners)
        raise
    return tuple(listeners)


def _listening(family: int, port: int) -> socket.socket:
    """Return a socket that listens at the loopback address of a family, at a port that no other program can take."""
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        exclusive: int | None = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)  # on Windows
        if exclusive is not None:
            listener.setsockopt(socket.SOL_SOCKET, exclusive, 1)
        else:  # allow the port of the last login at once; a port where another program listens stays unavailable
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", port))
        listener.listen(_BACKLOG)
        listener.setblocking(False)  # noqa: FBT003
    except BaseException:
        listener.close()
        raise
    return listener


def close_all(sockets: Iterable[socket.socket]) -> None:
    """Close the sockets."""
    for one in sockets:
        one.close()
