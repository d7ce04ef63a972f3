"""Why no response came, in one line of words, on each HTTP library."""

import socket
from collections.abc import Iterator

import pytest

from doorkey.errors import TransportError
from tests.support.every_adapter import Adapter
from tests.support.hostile_server import Hostile, reset


@pytest.fixture
def closed() -> Iterator[str]:
    """The URL of a port at which no server listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


def failed(adapter: Adapter, url: str) -> TransportError:
    with pytest.raises(TransportError) as raised:
        adapter.client("c", "s", token_endpoint=url).fetch_token()
    return raised.value


def causes(error: BaseException) -> int:
    return 0 if error.__cause__ is None else 1 + causes(error.__cause__)


def test_a_connection_that_is_refused_is_described_in_words(adapter: Adapter, closed: str) -> None:
    error = failed(adapter, f"{closed}/token")
    assert f"{closed}: connection refused: no server listens at this address and port" in str(error)
    assert "\n" not in str(error)
    assert error.retryable
    assert causes(error) == 1


def test_a_host_that_is_unknown_is_described_in_words(adapter: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = failed(adapter, "https://as.example/token")
    assert "as.example" in str(error)
    assert ": the host name cannot be resolved" in str(error)
    assert causes(error) == 1


def test_a_connection_that_is_reset_is_described_in_words(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", reset)
    error = failed(adapter, hostile.token_endpoint)
    assert "the server closed the connection" in str(error)
    assert causes(error) == 1
