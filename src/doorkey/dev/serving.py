"""The server of a provider: its listening socket, and uvicorn."""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
from contextlib import suppress

import uvicorn

from doorkey.dev.app import App
from doorkey.dev.certificates import Certificates
from doorkey.dev.connections import limited_to
from doorkey.dev.limits import Limits
from doorkey.errors import UsageError

TICK = 0.1
GRACE_SECONDS = 1.0


class Server(uvicorn.Server):
    """uvicorn, with an event `ready` that is set when the server has started or its start has failed."""

    def __init__(self, app: App, limits: Limits, certificates: Certificates | None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="asyncio",
                http=limited_to(limits),
                proxy_headers=False,  # uvicorn would trust every process of this machine; App has a list of proxies
                ws="none",
                lifespan="off",
                log_config=None,  # uvicorn's loggers belong to the application, which may also run on uvicorn
                server_header=False,
            )
        )
        self.config.load()
        self.config.ssl = certificates.server_context if certificates else None  # uvicorn's own options need files
        self.ready = threading.Event()
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.failure: BaseException | None = None

    def stop(self) -> None:
        """Request the end of the server, without waiting for it. Thread-safe."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._stopping.set)

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until `stop` is called. uvicorn's own method would write to the application's log."""
        self.lifespan = self.config.lifespan_class(self.config)
        await self.startup(sockets)
        if not self.should_exit:
            await self.main_loop()
        if self.started:
            await self.shutdown(sockets)

    async def main_loop(self) -> None:
        """Return as soon as `stop` is called. uvicorn's own loop only checks this ten times a second."""
        self._loop = asyncio.get_running_loop()
        counter = 0
        while not await self.on_tick(counter):
            counter = (counter + 1) % 864_000
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK):
                    await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, wait for the requests in progress, and close every connection.

        A request that does not end within `GRACE_SECONDS` is canceled. uvicorn's own method waits for a tenth of a
        second, which would delay each test, and does not close connections whose TLS handshake is incomplete.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + GRACE_SECONDS
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await _rounds()
        while (self.server_state.connections or self.server_state.tasks) and loop.time() < deadline:  # noqa: ASYNC110  # as uvicorn
            await asyncio.sleep(0.01)  # uvicorn has no event for this
        for task in self.server_state.tasks:
            task.cancel()
        await _rounds()
        transports = getattr(loop, "_transports", {})  # asyncio has no public name for them
        for transport in list(transports.values()):
            transport.abort()
        await _rounds()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and set `ready`. If the start fails, `failure` is the error."""
        try:
            await super().startup(sockets)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # the waiting thread raises it
            self.failure = error
            self.should_exit = True
        finally:
            self.ready.set()


async def _rounds() -> None:
    """Let the event loop run its pending callbacks: it closes a connection one iteration after the last byte."""
    for _ in range(5):
        await asyncio.sleep(0)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening TCP socket. Raises `UsageError` if the address is in use or invalid."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With an explicit protocol, asyncio disables Nagle's algorithm, which would delay each response by 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except (OSError, ValueError, TypeError) as error:  # the latter two are for an invalid host name, or one with a NUL
        listener.close()
        fix = ": choose another port" if getattr(error, "errno", None) == errno.EADDRINUSE else ""
        reason = getattr(error, "strerror", "invalid host name")
        raise UsageError(f"cannot listen at {host}:{port} ({reason}){fix}") from error
    return listener
