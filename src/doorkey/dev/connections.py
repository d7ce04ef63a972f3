"""The provider's connections: uvicorn's protocol with read deadlines and a limit on open connections."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, ClassVar, Final, cast

import h11
from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

from doorkey.dev.limits import Limits
from doorkey.server.responses.responses import NOSNIFF

_TRANSPORT = "doorkey.transport"
_QUIET: Final = logging.Logger("doorkey.dev", logging.CRITICAL + 1)
"""A logger that writes nothing. uvicorn's loggers belong to the application, which may also run on uvicorn."""


class Connection(H11Protocol):
    """One connection. The application has access to its transport, because ASGI cannot express a reset.

    uvicorn has a deadline only for an idle connection. This class adds a deadline for a request that arrives slowly.
    """

    limits: ClassVar[Limits] = Limits()
    _deadline: asyncio.TimerHandle | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.logger = self.access_logger = _QUIET
        self.access_log = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn declares a base class of this
        """Start the deadline for a request, or abort the connection if there are more than `limits` permit."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, _TRANSPORT: transport}
        if len(self.connections) > self.limits.connections:
            transport.abort()
        else:
            self._await_request()

    def data_received(self, data: bytes) -> None:
        """Process received bytes, and stop or restart the deadline."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._deadline is None:
            self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the deadline, and release the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Close the connection as soon as its response is complete.

        An idle TLS connection is aborted, because its peer would have to read and confirm the end of the connection.
        """
        idle = not self.transport.is_closing() and not self.transport.get_write_buffer_size()
        super().shutdown()
        if idle and self.transport.is_closing() and self.transport.get_extra_info("ssl_object") is not None:
            self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Send a response with the status 400, because the received bytes are not an HTTP request."""
        self._stop_waiting()
        self._refuse(400, msg)

    def _await_request(self) -> None:
        self._deadline = self.loop.call_later(self.limits.head_seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self._refuse(408, "The request took too long.")

    def _refuse(self, status: int, text: str) -> None:
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Connection", "close"), NOSNIFF]
        response = h11.Response(status_code=status, headers=headers, reason=STATUS_PHRASES[status])
        for event in (response, h11.Data(data=text.encode("ascii")), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


def limited_to(limits: Limits) -> type[Connection]:
    """Return a class of connections with `limits`. uvicorn creates the instances, without an argument for them."""
    return cast(type[Connection], type("Connection", (Connection,), {"limits": limits}))


def transport_of(scope: Scope) -> asyncio.Transport:
    """Return the transport of the connection of a request."""
    transport: asyncio.Transport = scope["state"][_TRANSPORT]
    return transport
