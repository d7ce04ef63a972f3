"""The server of a provider: the socket that it listens at, and uvicorn behind it."""

from __future__ import annotations

import asyncio
import socket
import threading

import uvicorn

from doorkey.dev.app import App
from doorkey.dev.certificates import Certificates
from doorkey.dev.connections import limited_to
from doorkey.dev.limits import Limits
from doorkey.errors import UsageError


class Server(uvicorn.Server):
    """uvicorn, with an event for when it is ready, or has failed."""

    def __init__(self, app: App, limits: Limits, certificates: Certificates | None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="asyncio",
                http=limited_to(limits),
                proxy_headers=False,  # uvicorn would trust every process of this machine; App knows whom to trust
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        self.config.load()
        self.config.ssl = certificates.server_context if certificates else None  # by itself it takes files only
        self.ready = threading.Event()
        self.failure: BaseException | None = None

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop, and close the connections that uvicorn does not know: those whose TLS handshake is not complete."""
        await super().shutdown(sockets)
        transports = getattr(asyncio.get_running_loop(), "_transports", {})  # asyncio has no public name for them
        for transport in list(transports.values()):
            transport.abort()
        for _ in range(3):  # the loop closes an aborted connection in its next round
            await asyncio.sleep(0)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and set `ready`; `failure` is the error if that failed."""
        try:
            await super().startup(sockets)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # the thread that waits raises it
            self.failure = error
            self.should_exit = True
        finally:
            self.ready.set()


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises `UsageError` if the address is taken, or is none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's delay off only where it is: 40 ms for each answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except (OSError, ValueError, TypeError) as error:  # the latter of a host that is no name, or has a NUL
        listener.close()
        raise UsageError(f"cannot listen at {host}:{port} ({getattr(error, 'strerror', 'no host')})") from error
    return listener
