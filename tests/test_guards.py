"""What the tests themselves are held to: no network, both backends where told, warnings are errors."""

import socket
import warnings
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
import sniffio

from tests.support.backends import both_backends

pytest_plugins = ["pytester"]
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def guarded(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder of tests with our guard, and nothing else of ours."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makeconftest("from tests.conftest import loopback_sockets, only_loopback")
    return pytester


@pytest.mark.parametrize(
    "reach",
    [
        "socket.create_connection(('192.0.2.1', 80), 1)",
        "socket.getaddrinfo('outside.example', 443)",
        "socket.socket().connect_ex(('192.0.2.1', 80))",
    ],
)
def test_a_test_that_reaches_for_the_network_fails_even_when_it_hides_it(reach: str, guarded: pytest.Pytester) -> None:
    guarded.makepyfile(f"""
        import contextlib, socket

        def test_hides_it():
            with contextlib.suppress(OSError):
                {reach}
    """)
    guarded.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1, errors=1)


def test_loopback_may_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), 1).close()
        socket.create_connection(("localhost", server.getsockname()[1]), 1).close()


@pytest.mark.anyio
async def test_async_tests_run_on_asyncio() -> None:
    await anyio.lowlevel.checkpoint()
    assert sniffio.current_async_library() == "asyncio"


@both_backends
@pytest.mark.anyio
async def test_async_tests_also_run_on_trio_if_configured(anyio_backend: str) -> None:
    await anyio.lowlevel.checkpoint()
    assert sniffio.current_async_library() == anyio_backend


def test_a_warning_is_an_error() -> None:
    with pytest.raises(UserWarning, match="careful"):
        warnings.warn("careful", stacklevel=1)


def test_the_tests_of_a_group_run_in_one_worker(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makeconftest("from tests.conftest import pytest_collection_modifyitems")
    pytester.makepyfile(
        """
        import os
        import pathlib
        import pytest

        @pytest.mark.xdist_group("one")
        @pytest.mark.parametrize("number", range(6))
        def test_worker(number):
            pathlib.Path(f"{number}.worker").write_text(os.environ["PYTEST_XDIST_WORKER"])
        """
    )
    pytester.runpytest_subprocess("-n", "2", "--dist", "loadgroup", "-p", "no:cacheprovider").assert_outcomes(passed=6)
    assert len({file.read_text() for file in pytester.path.glob("*.worker")}) == 1
