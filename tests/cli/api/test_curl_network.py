"""`doorkey curl` over TLS with a certificate authority of one's own, through a proxy, and with a binary body."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from doorkey.dev import Provider
from tests.cli.logins import logged_in
from tests.support.api_server import Reply, serving
from tests.support.cli_runner import Run
from tests.support.hostile_server import reply
from tests.support.named_servers import Authority, Proven

NAME = "api.example"
"""A name that only a proxy resolves."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(autouse=True)
def alone(home: Path, server: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account, and no setting of this machine."""
    logged_in(home, server)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@contextmanager
def proven(authority: Authority, name: str) -> Generator[Proven]:
    server = Proven(authority.proof(name), name)
    server.on("/orders", reply(200, "orders\n", {"Content-Type": "text/plain"}))
    try:
        yield server
    finally:
        server.close()


class Proxy:
    """A proxy for CONNECT, which leads every name to the port of one server; `heads` is what it was told."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.heads: list[bytes] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                head = b""
                while b"\r\n\r\n" not in head and (data := client.recv(4096)):
                    head += data
                self.heads.append(head)
                upstream = socket.create_connection(("127.0.0.1", self._port), timeout=20)
                self._sockets += [client, upstream]
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                for pair in ((client, upstream), (upstream, client)):
                    thread = threading.Thread(target=_carry, args=pair, daemon=True)
                    thread.start()
                    self._threads.append(thread)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(20)
        for one in self._sockets:
            one.close()


def _carry(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    with suppress(OSError):
        other.shutdown(socket.SHUT_WR)


@pytest.fixture
def api(authority: Authority) -> Iterator[Proven]:
    with proven(authority, NAME) as server:
        yield server


@pytest.fixture
def proxy(api: Proven) -> Iterator[Proxy]:
    running = Proxy(api.port)
    try:
        yield running
    finally:
        running.close()


def test_a_certificate_authority_of_the_environment_is_trusted(run: Run, authority: Authority) -> None:
    with proven(authority, "localhost") as server:
        result = run("curl", server.url("/orders"), SSL_CERT_FILE=str(authority.path))
        assert (result.exit_code, result.stdout) == (0, "orders\n"), result.output
        assert "  TLS " in result.stderr
        (got,) = server.received
        assert got.token == run("token").stdout.strip()


def test_another_certificate_authority_is_one_sentence_that_names_the_setting(run: Run, authority: Authority) -> None:
    with proven(authority, "localhost") as server:
        result = run("curl", server.url("/orders"))
        assert (result.exit_code, result.stdout) == (4, "")
        assert "SSL_CERT_FILE" in result.stderr
        assert len(result.stderr.splitlines()) == 1
        assert server.received == []


@pytest.mark.parametrize(
    "command",
    ["login URL --client-id app --device", "inspect x --introspect --client-id app --issuer URL", "doctor URL"],
)
def test_every_command_names_the_setting_of_a_certificate_authority(
    run: Run, authority: Authority, command: str
) -> None:
    with proven(authority, "localhost") as server:
        result = run(*command.replace("URL", server.url("")).split())
        assert result.exit_code in (1, 4)
        shown = " ".join(result.output.split())
        (variable,) = re.findall("environment variable ([A-Z_]+)", shown)[:1]
        assert server.received == []
        trusting = run(*command.replace("URL", server.url("")).split(), **{variable: str(authority.path)})
        assert "not trusted" not in trusting.output
        assert server.received != []


def test_a_file_of_certificates_that_is_not_there_is_one_sentence(run: Run, authority: Authority) -> None:
    with proven(authority, "localhost") as server:
        result = run("curl", server.url("/orders"), SSL_CERT_FILE="/no/such/ca.pem")
        assert result.exit_code not in (0, 70)
        assert result.stdout == ""
        assert len(result.stderr.splitlines()) == 1
        assert server.received == []


def test_a_proxy_carries_the_request_and_does_not_see_the_token(
    run: Run, authority: Authority, api: Proven, proxy: Proxy
) -> None:
    url = f"https://{NAME}/orders"
    result = run("curl", url, HTTPS_PROXY=proxy.url, SSL_CERT_FILE=str(authority.path))
    assert (result.exit_code, result.stdout) == (0, "orders\n"), result.output
    (got,) = api.received
    token = run("token").stdout.strip()
    assert got.token == token
    (head,) = proxy.heads
    assert head.startswith(f"CONNECT {NAME}:443 HTTP/1.1\r\n".encode())
    assert b"authorization" not in head.lower()
    assert token.encode() not in head
    assert "DNS" not in result.stderr, "the proxy has resolved the name"
    assert "first byte" in result.stderr


def test_a_proxy_that_is_away_is_one_sentence_and_the_api_is_not_asked(run: Run, api: Proven, proxy: Proxy) -> None:
    with serving() as away:
        pass
    result = run("curl", f"https://{NAME}/orders", HTTPS_PROXY=away.url)
    assert (result.exit_code, result.stdout) == (4, "")
    assert len(result.stderr.splitlines()) == 1
    assert api.received == []


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_plain_http_of_this_machine_never_goes_to_a_proxy_which_could_read_the_token(run: Run, variable: str) -> None:
    with serving() as proxy, serving() as api:
        result = run("curl", "-s", f"{api.url}/orders", **{variable: proxy.url})
        assert (result.exit_code, result.stdout) == (0, "hello\n")
        assert proxy.got == []
        assert len(api.got) == 1


def test_a_binary_body_comes_out_of_a_pipe_and_a_file_as_it_is(run: Run, tmp_path: Path) -> None:
    body = bytes(range(256)) * 300
    with serving() as api:
        api.replies = [Reply(200, body, {"Content-Type": "application/octet-stream"}) for _ in range(2)]
        piped = run("curl", f"{api.url}/image")
        saved = run("curl", f"{api.url}/image", "-o", str(tmp_path / "image"))
    assert (piped.exit_code, piped.stdout_bytes) == (0, body)
    assert (saved.exit_code, saved.stdout_bytes) == (0, b"")
    assert (tmp_path / "image").read_bytes() == body
