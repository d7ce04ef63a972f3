"""A provider that is down, or answers something else: each failure is an error that programs catch."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.login.attacks.target import CONFIGURATION, Target, logged_in, refused
from tests.servers.process import nobodys_port
from tests.support.hostile_server import Exchange, Hostile, reply
from tests.support.named_servers import Authority, Proven
from tests.support.web_browser import Browser
from tests.support.web_sites import Page

FAILURES: dict[str, bytes | Callable[[Exchange], None]] = {
    "closes the connection": Exchange.reset,
    "HTML": reply(200, "<html>Maintenance</html>", {"Content-Type": "text/html"}),
    "HTML error": reply(502, "<html>Bad gateway</html>", {"Content-Type": "text/html"}),
    "nothing": reply(200),
    "a list": reply(200, "[]", {"Content-Type": "application/json"}),
    "half a document": reply(200, '{"issuer": "', {"Content-Type": "application/json"}),
    "bytes": reply(200, b"\xff\xfe\x00", {"Content-Type": "application/json"}),
    "503": reply(503, headers={"Retry-After": "1000000"}),
    "no HTTP": lambda exchange: exchange.connection.sendall(b"SSH-2.0-OpenSSH\r\n\r\n"),
}


def _before_the_login(target: Target, browser: Browser) -> Callable[[], Page]:
    return lambda: browser.get("/login")


def _at_the_callback(target: Target, browser: Browser) -> Callable[[], Page]:
    response = target.response(target.begin(browser))
    return lambda: browser.get("/callback", query=response)


def _after_the_login(target: Target, browser: Browser) -> Callable[[], Page]:
    logged_in(target.log_in(browser))
    return lambda: browser.get("/userinfo")


PLACES: dict[str, Callable[[Target, Browser], Callable[[], Page]]] = {
    CONFIGURATION: _before_the_login,
    "/token": _at_the_callback,
    "/jwks": _at_the_callback,
    "/userinfo": _after_the_login,
}


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_of_the_provider_is_an_error_that_programs_catch(target: Target, path: str, failure: str) -> None:
    request = PLACES[path](target, target.browser())
    target.provider.server.on(path, FAILURES[failure])
    found = refused(request())
    assert found["text"]


def test_after_a_failure_the_login_works_again(target: Target) -> None:
    browser, server = target.browser(), target.provider.server
    server.on(CONFIGURATION, reply(502))
    refused(browser.get("/login"))
    target.provider.__post_init__()
    logged_in(target.log_in(browser))


def test_a_provider_that_is_down_is_an_error_that_programs_catch(target: Target) -> None:
    with nobodys_port() as port:
        target.options = {"server_metadata_url": f"http://127.0.0.1:{port}{CONFIGURATION}"}
        refused(target.browser().get("/login"))


def test_metadata_of_another_issuer_are_not_accepted(target: Target) -> None:
    metadata = {**target.provider.metadata, "issuer": "https://evil.example"}
    target.provider.server.on(CONFIGURATION, reply(json=metadata))
    refused(target.browser().get("/login"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    """A server whose certificate no client trusts."""
    server = Proven(Authority(tmp_path_factory.mktemp("authority")).proof("localhost"), "localhost")
    yield server
    server.close()


def test_an_untrusted_certificate_is_an_error_that_programs_catch(target: Target, stranger: Hostile) -> None:
    target.options = {"server_metadata_url": stranger.url(CONFIGURATION)}
    refused(target.browser().get("/login"))
    assert not stranger.received
