"""A TCP proxy in front of a server. A test can count its round trips, and cut it without a notice to either end."""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress


class TCPProxy:
    """Listens on `port` and forwards the data to a server. Without a server, no request is answered.

    `asked` counts how often a client spoke after it had been answered: the round trips.
    """

    def __init__(self, server: int | None) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._cut = threading.Event()
        self._open: list[socket.socket] = []
        self.asked = 0
        self._clients_turn = True
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def cut(self) -> None:
        """From now on, take what is sent and answer nothing."""
        self._cut.set()

    def mend(self) -> None:
        """From now on, new connections work again."""
        self._cut.clear()

    def lead_to(self, server: int) -> None:
        """From now on, new connections go to the server at that port; those that are open stay where they are."""
        self._server = server

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # ends a waiting `accept`, which would take one more connection
        self._listener.close()
        self._accepting.join(60)
        self.hang_up()

    def hang_up(self) -> None:
        """Close all connections."""
        opened, self._open = self._open, []
        for one in opened:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._open.append(client)
                if self._server is None or self._cut.is_set():
                    continue
                server = socket.create_connection(("127.0.0.1", self._server))
                self._open.append(server)
                for ends in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, from_client: bool) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if self._cut.is_set():
                    return  # the connection stays, and nothing comes of it
                if from_client and self._clients_turn:
                    self.asked += 1
                self._clients_turn = not from_client
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@contextmanager
def tcp_proxy(server: int | None = None) -> Generator[TCPProxy]:
    """A TCP proxy of the server at that port, or of none."""
    one = TCPProxy(server)
    try:
        yield one
    finally:
        one.close()
