"""The server that receives one authorization response, on sockets that never block, as a flow.

Theory of operation. The flow waits until a socket is ready, and then accepts, reads or writes without blocking. So the
same code serves synchronous and asynchronous programs, no thread is needed, and a Ctrl-C or a cancellation interrupts a
wait. A request that is not the response of this login gets a short page. The first response of this login ends the
wait: the listening sockets and all other connections are closed. Its own connection stays open for the page that shows
the outcome of the login.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from doorkey.native.callbacks import Accepted, Expected, check_callback
from doorkey.native.effects import WaitForSockets
from doorkey.native.errors import CallbackTimeout
from doorkey.native.http_request import RequestReader, Unreadable
from doorkey.native.loopback import close_all
from doorkey.native.pages import rejection_response
from doorkey.wire.flow import Flow

MAX_CONNECTIONS: Final = 16
"""The maximum number of open connections. Browsers open more than they use. A further connection closes the oldest."""
REQUEST_SECONDS: Final = 10.0
"""The maximum seconds of a connection for its request and its page."""
_PIECE: Final = 64 * 1024
_MAX_WAITS: Final = 20
"""The maximum number of waits for a browser that does not read its page."""


@dataclass(slots=True, eq=False)
class Connection:
    """One connection: it is read, then a page is written, then the rest of its request is dropped until it ends."""

    sock: socket.socket
    since: float
    reader: RequestReader | None = field(default_factory=RequestReader)
    unsent: bytes = b""

    def send(self) -> None:
        """Send as much as possible, and shut down writing at the end. Raises `OSError` for a lost connection."""
        with suppress(BlockingIOError):
            while self.unsent:
                self.unsent = self.unsent[self.sock.send(self.unsent) :]
            self.sock.shutdown(socket.SHUT_WR)


class CallbackServer:
    """Receives the response that `expected` describes, at the `listeners`."""

    def __init__(
        self, listeners: tuple[socket.socket, ...], expected: Expected, clock: Callable[[], float], timeout: float
    ) -> None:
        self._listeners, self._expected, self._clock = listeners, expected, clock
        self._timeout, self._until = timeout, clock() + timeout
        self._connections: dict[socket.socket, Connection] = {}
        self._rejected = ""

    def received(self) -> Flow[tuple[Connection, Any]]:
        """Wait for the response, and return its connection and its parameters. Raises `CallbackTimeout`."""
        while (now := self._clock()) < self._until:
            self._drop_slow(now)
            writing = tuple(sock for sock, one in self._connections.items() if one.unsent)
            reading = (*self._listeners, *(sock for sock, one in self._connections.items() if not one.unsent))
            ready = yield from WaitForSockets(reading, writing, self._until - now)
            for connection in [one for sock, one in self._connections.items() if sock in ready]:
                params = self._progress(connection)
                if params is not None:
                    close_all(self._listeners)
                    close_all(sock for sock in self._connections if sock is not connection.sock)
                    self._connections = {connection.sock: connection}
                    return connection, params
            for sock in self._listeners:
                if sock in ready:
                    self._accept(sock)
        raise CallbackTimeout(self._timeout, self._rejected)

    def reply(self, connection: Connection, response: bytes) -> Flow[None]:
        """Send the last page, and close its connection."""
        connection.unsent = response
        try:
            connection.send()
            for _ in range(_MAX_WAITS):
                if not connection.unsent:
                    break
                yield from WaitForSockets((), (connection.sock,))
                connection.send()
        except OSError:  # the user has closed the window
            pass
        finally:
            connection.sock.close()

    def close(self) -> None:
        """Close all sockets."""
        close_all((*self._listeners, *self._connections))

    def _accept(self, listener: socket.socket) -> None:
        # At the limit, accept one connection at a time, so that none is closed before its request has been read.
        for _ in range(max(MAX_CONNECTIONS - len(self._connections), 1)):
            try:
                sock, _ = listener.accept()
            except OSError:  # no connection is waiting, or too many files are open
                return
            sock.setblocking(False)  # noqa: FBT003
            if len(self._connections) >= MAX_CONNECTIONS:
                self._drop(next(iter(self._connections.values())))
            self._connections[sock] = Connection(sock, self._clock())

    def _progress(self, connection: Connection) -> Any:
        """Read from a connection, or write to it. Return the parameters of the authorization response, or None."""
        try:
            if connection.unsent:
                connection.send()
                return None
            data = connection.sock.recv(_PIECE)
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        if not data:
            self._drop(connection)
            return None
        request = None if connection.reader is None else connection.reader.feed(data)
        if request is None:
            return None
        answer = request if isinstance(request, Unreadable) else check_callback(request, self._expected)
        if isinstance(answer, Accepted):
            return answer.params
        if isinstance(answer, Unreadable) or answer.is_response:
            self._rejected = answer.reason if isinstance(answer, Unreadable) else answer.cause
        connection.reader, connection.unsent = None, rejection_response(answer)
        with suppress(OSError):
            connection.send()
        return None

    def _drop_slow(self, now: float) -> None:
        for one in [*self._slow(now)]:
            self._drop(one)

    def _slow(self, now: float) -> Iterator[Connection]:
        return (one for one in self._connections.values() if now - one.since > REQUEST_SECONDS)

    def _drop(self, connection: Connection) -> None:
        self._connections.pop(connection.sock, None)
        connection.sock.close()
