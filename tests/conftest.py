"""What every test gets: real servers when asked for, asyncio by default, and no network beyond loopback."""

import ipaddress
import os
import signal
import socket
import ssl
import sys
from collections.abc import Iterator
from typing import Any

import certifi
import pytest
from hypothesis import HealthCheck, settings

from tests.support.keys_read_once import read_once

pytest_plugins = [
    "tests.support.garbage",
    "tests.support.fixtures",
    "tests.support.server_fixtures",
    "tests.support.browser_fixtures",
    "doorkey.testing.plugin",
]


read_once()

# No property is about speed, and a busy machine takes its time. Each run tries the same examples, so that none fails by
# chance. Others: `--hypothesis-profile=explore --hypothesis-seed=NUMBER`.
settings.register_profile("doorkey", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", settings.get_profile("doorkey"), derandomize=False, max_examples=1_000)
settings.load_profile("doorkey")


def pytest_configure() -> None:
    """Let a Ctrl-C reach the programs of tests: a shell that starts a job in the background has it ignored."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run each `xdist_group` in one worker: pytest 9.2 keeps IDs where pytest-xdist 3.8 does not change them."""
    for item in items if getattr(config.option, "loadgroup", False) else ():
        groups = sorted({str(mark.args[0]) for mark in item.iter_markers("xdist_group")})
        suffix = f"@{'_'.join(groups)}"
        if groups and not item.nodeid.endswith(suffix):
            setattr(item, "_id", type(item.id).parse(item.nodeid + suffix))  # noqa: B010  # it has no public setter


@pytest.fixture
def anyio_backend() -> str:
    """Where `@pytest.mark.anyio` tests run; `tests.support.backends.both_backends` adds trio."""
    return "asyncio"


@pytest.fixture(autouse=True)
def no_metadata_of_earlier_tests() -> None:
    """Forget the metadata that `discover` has found: a server of an earlier test may have had the same port."""
    if module := sys.modules.get("doorkey.discovery"):
        vars(module)["_cache"].clear()


@pytest.fixture(scope="session", autouse=True)
def one_public_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Trust one public certificate authority instead of 140, which each HTTP client reads anew, for 20 ms of CPU.

    No test meets a certificate of theirs: the servers of tests have authorities of their own.
    """
    end = "-----END CERTIFICATE-----\n"
    one = tmp_path_factory.mktemp("authorities") / "ca.pem"
    one.write_text(certifi.contents().partition(end)[0] + end, encoding="ascii")
    usual = ssl.get_default_verify_paths()
    bundles = {os.path.realpath(file) for file in (certifi.where(), usual.cafile, usual.openssl_cafile) if file}
    real = ssl.SSLContext.load_verify_locations

    def load(self: ssl.SSLContext, cafile: Any = None, capath: Any = None, cadata: Any = None) -> None:
        real(self, one if cafile is not None and os.path.realpath(cafile) in bundles else cafile, capath, cadata)

    real_default = ssl.SSLContext.load_default_certs

    def load_default(self: ssl.SSLContext, purpose: ssl.Purpose = ssl.Purpose.SERVER_AUTH) -> None:
        if os.environ.keys() & {"SSL_CERT_FILE", "SSL_CERT_DIR"}:
            real_default(self, purpose)
        else:
            real(self, one)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl.SSLContext, "load_verify_locations", load)
        patch.setattr(ssl.SSLContext, "load_default_certs", load_default)
        yield


def _loopback(host: object) -> bool:
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    if text in ("", "localhost", "None"):
        return True
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False


_refused: list[str] = []


@pytest.fixture(scope="session")
def loopback_sockets() -> Iterator[None]:
    """Let sockets connect to loopback only; once for all tests, because a patch for each takes longer than most."""

    def check(host: object) -> None:
        if not _loopback(host):
            _refused.append(repr(host))
            raise OSError(f"tests reach loopback only, not {host!r}")

    def guarded(name: str) -> None:
        real = getattr(socket.socket, name)

        def connect(self: socket.socket, address: Any) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6):
                check(address[0])
            return real(self, address)

        patch.setattr(socket.socket, name, connect)

    real_getaddrinfo = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(host, str):
            host.encode("idna")  # what the real one does first: of some names it raises a UnicodeError
        elif isinstance(host, bytes) and not all(0 < len(label) < 64 for label in host.split(b".")):
            raise socket.gaierror(socket.EAI_NONAME, "no name that anybody could have")
        check(host)
        return real_getaddrinfo(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        guarded("connect")
        guarded("connect_ex")
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield


@pytest.fixture(autouse=True)
def only_loopback(loopback_sockets: None) -> Iterator[None]:
    """Fail a test that reaches for anything outside this machine, also when it swallows the error."""
    yield
    if _refused:
        told = ", ".join(_refused)
        _refused.clear()
        pytest.fail(f"reached for the network: {told}")
