"""The ports at which a login listens: any free one, the first free one of a list, for IPv4 and IPv6."""

from __future__ import annotations

import errno
import socket
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from doorkey.native import NoFreePort
from doorkey.native.loopback import Target, close_all
from tests.native.conftest import Browser, Native
from tests.servers.process import port_of_ones_own


def test_the_first_free_port_of_the_list_is_used(login: Native, browser: Browser) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = [taken.getsockname()[1], port_of_ones_own()]
        assert login.in_browser(browser, ports=ports).claims
    asked = parse_qs(urlsplit(browser.opened[0]).query)["redirect_uri"][0]
    assert urlsplit(asked).port == ports[1]


def test_a_port_that_another_program_has_for_ipv6_is_taken(login: Native, browser: Browser) -> None:
    with socket.socket(socket.AF_INET6) as taken:
        taken.bind(("::1", 0))
        taken.listen()
        error = login.failure(browser, ports=[taken.getsockname()[1]])
    assert isinstance(error, NoFreePort)


def test_ports_that_are_all_taken_are_an_error_that_names_them(login: Native, browser: Browser) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        error = login.failure(browser, redirect_uri=f"http://127.0.0.1:{port}/callback")
    assert isinstance(error, NoFreePort)
    assert str(port) in str(error)
    assert browser.opened == []


def test_the_same_port_can_be_used_for_the_next_login_at_once(login: Native, browser: Browser) -> None:
    port = port_of_ones_own()
    for _ in range(2):
        assert login.in_browser(browser, ports=[port]).claims


def test_a_machine_without_ipv6_logs_in_at_127_0_0_1(
    login: Native, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(socket.AF_INET6, monkeypatch)
    assert login.in_browser(browser).claims
    error = login.failure(browser, redirect_uri="http://[::1]/callback")
    assert isinstance(error, NoFreePort)


def test_a_machine_without_ipv4_logs_in_at_localhost(login: Native, monkeypatch: pytest.MonkeyPatch) -> None:
    without(socket.AF_INET, monkeypatch)
    uri, listeners = Target.of("http://localhost/callback", (0,)).listen()
    assert [listener.family for listener in listeners] == [socket.AF_INET6]
    assert uri == f"http://localhost:{listeners[0].getsockname()[1]}/callback"
    close_all(listeners)


def without(family: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the machine refuse to listen at the addresses of a family, as a kernel without it does."""
    bind = socket.socket.bind

    def refuse(self: socket.socket, address: Any) -> None:
        if self.family == family:
            raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
        bind(self, address)

    monkeypatch.setattr(socket.socket, "bind", refuse)
