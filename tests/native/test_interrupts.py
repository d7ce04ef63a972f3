"""A Ctrl-C at each wait of a native login ends it at once, and leaves no socket, no thread and no changed terminal."""

from __future__ import annotations

import os
import signal
import socket
import sys
import termios
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

import doorkey.native
from tests.native.conftest import CLIENT, Browser, Native
from tests.native.test_by_pasting import URI, Terminal
from tests.support.interrupts import no_garbage_collection


def strike(_: str = "") -> None:
    os.kill(os.getpid(), signal.SIGINT)


def sockets() -> set[str]:
    """The sockets of this process that listen on TCP, as the kernel numbers them."""
    ours = set[str]()
    for one in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # another thread has closed it
            ours.add(str(one.readlink()))
    rows = [
        line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/self/net/{name}").read_text().splitlines()
    ]
    return {row[9] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in ours}


def interrupted(login: Native, name: str, **options: Any) -> None:
    """Call a login that is interrupted; it leaves no listening socket. One of an earlier test may close meanwhile."""
    before = sockets()
    with no_garbage_collection(), pytest.raises(KeyboardInterrupt):
        login.call(name, login.provider.issuer, CLIENT, **{"show": str, **options})
    assert sockets() <= before


def threads_of_logins() -> list[list[str]]:
    """The stacks of the other threads that run code of a login: the threads of the provider come and go."""
    here = threading.get_ident()
    stacks = [traceback.extract_stack(frame) for ident, frame in sys._current_frames().items() if ident != here]
    folder = str(Path(doorkey.native.__file__).parent)
    return [stack.format() for stack in stacks if any(entry.filename.startswith(folder) for entry in stack)]


def is_free(url: str) -> bool:
    redirect = urlsplit(parse_qs(urlsplit(url).query)["redirect_uri"][0])
    for host in ("127.0.0.1", "::1"):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, redirect.port or 0), timeout=60)
    return True


def struck_at(login: Native, path_end: str, call: Callable[[], None]) -> None:
    """Make `call`; once the provider has a request to a path that ends so, strike."""
    go_on = threading.Event()
    fault = login.provider.faults.add(path_end, hold=go_on)

    def beside() -> None:
        assert fault.arrived.wait(60)
        strike()

    thread = threading.Thread(target=beside)
    thread.start()
    try:
        call()
    finally:
        go_on.set()
        thread.join(60)


def test_while_the_browser_is_waited_for(login: Native) -> None:
    opened: list[str] = []

    def browser(url: str) -> None:
        opened.append(url)
        strike()

    interrupted(login, "login_in_browser", open_browser=browser)
    assert is_free(opened[0])


def test_while_a_callable_shows_the_url(login: Native) -> None:
    interrupted(login, "login_in_browser", show=strike, open_browser=str)


def test_while_the_metadata_is_requested(login: Native) -> None:
    struck_at(login, "openid-configuration", lambda: interrupted(login, "login_in_browser", open_browser=str))


def test_while_the_code_is_exchanged(login: Native, browser: Browser) -> None:
    browser.visit = visit_and_leave
    struck_at(login, "/token", lambda: interrupted(login, "login_in_browser", open_browser=browser))
    assert is_free(browser.opened[0])


def visit_and_leave(callback: str) -> None:
    """Send the response, and wait for no page."""
    parts = urlsplit(callback)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60) as sock:
        sock.sendall(f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        sock.recv(65536)


def test_while_a_url_is_pasted(login: Native, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    terminal.connect(monkeypatch)

    def beside() -> None:
        terminal.wait_for_prompt()
        assert termios.tcgetattr(terminal.program) != terminal.before  # the login reads each byte itself
        strike()

    thread = threading.Thread(target=beside)
    thread.start()
    interrupted(login, "login_by_pasting", redirect_uri=URI)
    thread.join(60)
    assert termios.tcgetattr(terminal.program) == terminal.before
    terminal.close()


def test_while_a_pipe_is_read(login: Native, monkeypatch: pytest.MonkeyPatch) -> None:
    output, source = os.pipe()
    with os.fdopen(output) as stdin, os.fdopen(source, "w"):
        monkeypatch.setattr(sys, "stdin", stdin)
        soon = threading.Timer(0, strike)

        def show(url: str) -> None:
            soon.start()

        interrupted(login, "login_by_pasting", redirect_uri=URI, show=show)
        soon.join(60)
        assert threads_of_logins() == []
