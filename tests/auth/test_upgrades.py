"""No token follows a redirect from http to https, where httpx2 and httpx keep `Authorization` for the same host."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from doorkey import OAuth2Auth
from doorkey.integrations.httpx_client import AsyncOAuth2Client
from doorkey.integrations.requests_client import OAuth2Session
from tests.support.every_transport import World, world
from tests.support.hostile_server import Exchange, Hostile
from tests.support.named_servers import Authority, Proven

__all__ = ["world"]

NAME = "api.example"
TOKEN = {"access_token": "at-1"}
URL = f"http://{NAME}/x"

Make: TypeAlias = Callable[..., Any]


class OnASocket(Proven):
    """A server that proves to be `api.example`, on a Unix socket: what is sent to its port 443 gets there."""

    def __init__(self, proof: ssl.SSLContext, path: Path) -> None:
        self._unix = socket.socket(socket.AF_UNIX)
        self._unix.bind(str(path))
        self._unix.listen()
        super().__init__(proof, NAME)
        self._start(self._accept_there)

    def _accept_there(self) -> None:
        while True:
            try:
                connection, _ = self._unix.accept()
            except OSError:
                return
            with self._lock:
                self._connections.add(connection)
            self._start(lambda connection=connection: self._serve(connection))  # type: ignore[misc]

    def close(self) -> None:
        self._unix.shutdown(socket.SHUT_RDWR)
        self._unix.close()
        super().close()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def site(authority: Authority, tmp_path: Path) -> Iterator[OnASocket]:
    made = OnASocket(authority.proof(NAME), tmp_path / "s")
    yield made
    made.close()


@pytest.fixture
def client(world: World, authority: Authority, tmp_path: Path) -> Make:
    """Make a client whom `http://api.example` sends on to https, and for whom that is the `site`."""

    def make(**options: Any) -> Any:
        library = world.library
        kind = library.AsyncHTTPTransport if world.is_async else library.HTTPTransport

        def upgraded(_: Any) -> Any:
            return library.Response(302, headers={"Location": f"https://{NAME}/x"})

        upgrading = library.MockTransport(upgraded)
        there = kind(uds=str(tmp_path / "s"), verify=authority.trusted)
        return world.client(mounts={"http://": upgrading, "https://": there}, follow_redirects=True, **options)

    return make


def test_the_clients_themselves_keep_the_header(world: World, client: Make, site: OnASocket) -> None:
    """Else these tests prove nothing."""
    assert world.get(client(), URL, headers={"Authorization": "Mine 1"}).status_code == 200
    assert site.received[0].header("authorization") == "Mine 1"


@pytest.mark.parametrize("allowed", [None, [URL]])
def test_no_token_goes_to_another_scheme(world: World, client: Make, site: OnASocket, allowed: Any) -> None:
    plain = client(auth=OAuth2Auth(TOKEN, allowed_origins=allowed))
    assert [world.get(plain, URL, headers={"X-Mine": "kept"}).status_code for _ in range(2)] == [200, 200]
    assert [(one.header("authorization"), one.header("x-mine")) for one in site.received] == [(None, "kept")] * 2


def test_a_request_to_https_itself_has_its_token(world: World, client: Make, site: OnASocket) -> None:
    assert world.get(client(auth=OAuth2Auth(TOKEN)), f"https://{NAME}/x").status_code == 200
    assert site.received[0].token == "at-1"


@pytest.mark.parametrize("url", [URL, f"http://{NAME}:80/x", "http://[::1]/x", f"http://{NAME}:8080/x"])
def test_through_a_proxy_the_token_goes_along(world: World, hostile: Hostile, url: str) -> None:
    plain = world.client(proxy=hostile.url(""), auth=OAuth2Auth(TOKEN))
    assert world.get(plain, url).status_code == 200
    assert hostile.received[0].target.startswith("http://")
    assert hostile.received[0].token == "at-1"


def test_the_token_is_sent_if_a_transport_rewrites_the_address(world: World, hostile: Hostile) -> None:
    """As one does that knows where a service is."""

    class Leading:
        def __init__(self) -> None:
            self.inner = world.transport()

        def handle_request(self, request: Any) -> Any:
            return self.inner.handle_request(self.led(request))

        async def handle_async_request(self, request: Any) -> Any:
            return await self.inner.handle_async_request(self.led(request))

        def led(self, request: Any) -> Any:
            request.url = request.url.copy_with(host="127.0.0.1", port=hostile.port)
            return request

        def close(self) -> None:
            self.inner.close()

        async def aclose(self) -> None:
            await self.inner.aclose()

    plain = world.client(transport=Leading(), auth=OAuth2Auth(TOKEN))
    assert world.get(plain, URL).status_code == 200
    assert hostile.received[0].token == "at-1"


def test_the_programs_own_trace_is_called_too(world: World, client: Make, site: OnASocket) -> None:
    told: list[str] = []

    def trace(event: str, info: Any) -> None:
        told.append(event)

    async def atrace(event: str, info: Any) -> None:
        told.append(event)

    plain = client(auth=OAuth2Auth(TOKEN))
    mine = atrace if world.is_async else trace
    native = plain.build_request("GET", URL, extensions={"trace": mine})
    for _ in range(2):
        before = len(told)
        world.run(plain.send, native)
        assert sum(event.endswith("send_request_headers.started") for event in told[before:]) == 1
        assert native.extensions["trace"].others is mine  # and not one of ours in another, ever deeper
    assert [one.header("authorization") for one in site.received] == [None, None]


def signing(world: World) -> OAuth2Auth:
    """The auth object of a session whose hook puts the token into a header of its own."""

    def sign(url: str, headers: dict[str, str], body: Any) -> tuple[str, dict[str, str], Any]:
        return url, {**headers, "X-Token": "at-1"}, body

    make: Any = AsyncOAuth2Client if world.is_async else OAuth2Session
    session = make("c", token=TOKEN)
    session.register_compliance_hook("protected_request", sign)
    return OAuth2Auth(session)


def test_what_a_hook_has_signed_stays_behind_too(world: World, client: Make, site: OnASocket) -> None:
    assert world.get(client(auth=signing(world)), URL, headers={"X-Mine": "kept"}).status_code == 200
    (one,) = site.received
    assert (one.header("authorization"), one.header("x-token"), one.header("x-mine")) == (None, None, "kept")


def test_what_a_hook_has_signed_goes_through_the_tunnel_of_a_proxy(
    world: World, authority: Authority, site: OnASocket, hostile: Hostile, tmp_path: Path
) -> None:
    def tunnel(exchange: Exchange) -> None:
        with socket.socket(socket.AF_UNIX) as far:
            far.connect(str(tmp_path / "s"))
            exchange.send(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=pump, args=(far, exchange.connection))
            back.start()
            pump(exchange.connection, far)
            back.join()

    hostile.on("443", tunnel)  # of api.example:443
    plain = world.client(proxy=hostile.url(""), verify=authority.trusted, auth=signing(world))
    assert world.get(plain, f"https://{NAME}/x").status_code == 200
    assert (site.received[0].token, site.received[0].header("x-token")) == ("at-1", "at-1")
    assert "at-1" not in repr(hostile.received)


def pump(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)
