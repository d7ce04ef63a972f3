"""A login in the browser over real sockets: what ends it, what does not, and what the browser is shown."""

from __future__ import annotations

import socket
from collections.abc import Callable
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from doorkey.errors import OAuthError, TransportError, UsageError, VerificationError
from doorkey.login.errors import LoginError, LoginRefused
from doorkey.native import CallbackTimeout, NativeLogin
from doorkey.testing import Provider
from tests.native.conftest import CLIENT, Browser, Native
from tests.support.fake_clock import Clock, real_time
from tests.support.raw_http import get, send, status_of
from tests.support.tracebacks import local_variables


def changed(callback: str, **parameters: str | None) -> str:
    """Return a callback URL with other parameters; None removes one."""
    parts = urlsplit(callback)
    pairs = {name: values[0] for name, values in parse_qs(parts.query).items()} | parameters
    return parts._replace(query=urlencode({name: value for name, value in pairs.items() if value is not None})).geturl()


def code_in(callback: str) -> str:
    return parse_qs(urlsplit(callback).query)["code"][0]


def is_closed(callback: str) -> bool:
    with pytest.raises(ConnectionError):
        get(callback)
    return True


def test_a_login_returns_the_token_and_the_verified_claims(login: Native, browser: Browser) -> None:
    result = login.in_browser(browser, scope="openid email")
    assert result.method == "browser"
    assert result.claims is not None
    assert result.claims["email"] == "alice@example.org"
    assert result.token["access_token"]
    assert repr(result) == "<NativeLogin by browser>"
    page = browser.result().decode()
    assert status_of(page.encode()) == 200
    assert "You are logged in" in page
    assert "You can close this window" in page


def test_the_request_has_pkce_state_and_nonce_and_the_parameters_of_the_caller(login: Native, browser: Browser) -> None:
    shown: list[str] = []
    login.in_browser(browser, show=shown.append, login_hint="alice", ui_locales="de en")
    assert shown == browser.opened
    asked = parse_qs(urlsplit(shown[0]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked.keys() >= {"code_challenge", "state", "nonce"}
    assert asked["login_hint"] == ["alice"]
    redirect = urlsplit(asked["redirect_uri"][0])
    assert (redirect.scheme, redirect.hostname, redirect.path) == ("http", "127.0.0.1", "/callback")


def test_a_confidential_client_authenticates(login: Native, browser: Browser) -> None:
    assert login.in_browser(browser, client_id="confidential", client_secret="s3cret-s3cret").token
    error = login.failure(browser, client_id="confidential", client_secret="wrong")
    assert error.error in {"invalid_client", "unauthorized_client"}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_each_loopback_host_can_be_the_redirect_uri(login: Native, browser: Browser, host: str) -> None:
    assert login.in_browser(browser, redirect_uri=f"http://{host}/callback").claims
    assert status_of(browser.result()) == 200


def test_a_posted_form_ends_the_login(login: Native, browser: Browser) -> None:
    def post(callback: str) -> list[bytes]:
        parts = urlsplit(callback)
        body = parts.query
        head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: {len(body)}\r\n"
        form = head + "Content-Type: application/x-www-form-urlencoded\r\n\r\n" + body
        return [
            get(callback),
            send(callback, form.replace("x-www-form-urlencoded", "json").encode()),
            send(callback, form.encode()),
        ]

    browser.visit = post
    assert login.in_browser(browser, response_mode="form_post").claims
    assert [status_of(one) for one in browser.result()] == [405, 415, 200]


@pytest.mark.parametrize("given", [{"response_type": "code id_token"}, {"response_mode": "fragment"}])
def test_a_response_that_no_server_receives_is_refused(login: Native, browser: Browser, given: dict[str, str]) -> None:
    error = login.failure(browser, **given)
    assert isinstance(error, UsageError)
    assert "form_post" in str(error)
    assert browser.opened == []


# -- requests that do not end the wait ---------------------------------------------------------------------------------


def raw(request: str) -> Callable[[str], bytes]:
    """Return a callable that sends `request` with HOST and QUERY replaced by those of the callback."""

    def visit(callback: str) -> bytes:
        parts = urlsplit(callback)
        return send(callback, request.replace("HOST", parts.netloc).replace("QUERY", parts.query).encode("latin-1"))

    return visit


STRAY: dict[str, tuple[int, Callable[[str], bytes]]] = {
    "another path": (404, raw("GET /favicon.ico HTTP/1.1\r\nHost: HOST\r\n\r\n")),
    "another host": (421, raw("GET /callback?QUERY HTTP/1.1\r\nHost: evil.example\r\n\r\n")),
    "another port": (421, raw("GET /callback?QUERY HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n")),
    "another name of loopback": (421, lambda callback: get(callback, Host=f"localhost:{urlsplit(callback).port}")),
    "no host": (400, raw("GET /callback?QUERY HTTP/1.1\r\n\r\n")),
    "two hosts": (400, raw("GET /callback?QUERY HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\n\r\n")),
    "a POST": (405, raw("POST /callback?QUERY HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\n\r\n")),
    "a HEAD": (405, raw("HEAD /callback?QUERY HTTP/1.1\r\nHost: HOST\r\n\r\n")),
    "a preflight": (405, raw("OPTIONS /callback HTTP/1.1\r\nHost: HOST\r\nOrigin: https://evil.example\r\n\r\n")),
    "no parameters": (400, raw("GET /callback HTTP/1.1\r\nHost: HOST\r\n\r\n")),
    "no state": (400, lambda callback: get(changed(callback, state=None))),
    "an error without state": (400, lambda callback: get(changed(callback, state=None, code=None, error="no"))),
    "another login": (400, lambda callback: get(changed(callback, state="of-another-login"))),
    "two states": (400, lambda callback: get(f"{callback}&state=x")),
    "a thousand parameters": (400, lambda callback: get(callback + "&a=1" * 1001)),
    "16 KiB of headers": (431, lambda callback: get(callback, Cookie="x" * 16384)),
    "a megabyte in the URL": (431, lambda callback: get(changed(callback, code="x" * 1_000_000))),
    "a megabyte in the body": (
        413,
        raw(f"POST /callback HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1000000\r\n\r\n{'x' * 1_000_000}"),
    ),
    "TLS": (400, raw("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")),
}


def test_other_requests_get_a_page_and_do_not_end_the_login(login: Native, browser: Browser) -> None:
    def visit(callback: str) -> list[Any]:
        return [*((name, stray(callback)) for name, (_, stray) in STRAY.items()), code_in(callback), get(callback)]

    browser.visit = visit
    assert login.in_browser(browser).claims
    *others, code, last = browser.result()
    assert {name: status_of(response) for name, response in others} == {name: STRAY[name][0] for name in STRAY}
    assert status_of(last) == 200
    for response in (last, *(response for _, response in others)):
        head, _, body = response.partition(b"\r\n\r\n")
        assert b"\r\nCache-Control: no-store" in head
        assert b"\r\nReferrer-Policy: no-referrer" in head
        assert b"Content-Security-Policy: default-src 'none'; style-src 'sha256-" in head
        assert body.startswith(b"<!DOCTYPE html>")
        assert code.encode() not in response


def test_a_response_is_used_once_and_then_nothing_listens(login: Native, browser: Browser) -> None:
    browser.visit = lambda callback: (get(callback), callback)
    login.in_browser(browser)
    assert is_closed(browser.result()[1])


def test_idle_connections_do_not_block_the_browser(login: Native, browser: Browser) -> None:
    idle: list[socket.socket] = []

    def visit(callback: str) -> bytes:
        parts = urlsplit(callback)
        for _ in range(40):
            idle.append(socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60))
            idle[-1].sendall(b"GET /call")
        return get(callback)

    browser.visit = visit
    assert login.in_browser(browser).claims
    assert status_of(browser.result()) == 200
    for sock in idle:
        sock.close()


def test_a_slow_client_is_dropped_after_ten_seconds(login: Native, browser: Browser, provider: Provider) -> None:
    clock = real_time()

    def visit(callback: str) -> tuple[bytes, bytes]:
        parts = urlsplit(callback)
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60) as slow:
            slow.sendall(b"GET /callback?")
            assert status_of(get(callback.replace("/callback", "/other"))) == 404  # by then it was accepted
            clock.advance(11)
            return slow.recv(10), get(callback)

    browser.visit = visit
    assert login.in_browser(browser, clock=clock).claims
    assert browser.result()[0] == b""


# -- logins that fail --------------------------------------------------------------------------------------------------


def test_an_error_response_ends_the_login_with_the_words_of_the_provider(login: Native, browser: Browser) -> None:
    words = '<script>alert("no")</script>'
    browser.visit = lambda callback: get(changed(callback, code=None, error="access_denied", error_description=words))
    error = login.failure(browser)
    assert isinstance(error, LoginRefused)
    assert error.error == "access_denied"
    page = browser.result().decode()
    assert status_of(page.encode()) == 400
    assert "The provider did not log you in" in page
    assert "&lt;script&gt;" in page
    assert "<script" not in page


BROKEN: dict[str, tuple[type[OAuthError], dict[str, str | None]]] = {
    "another issuer": (VerificationError, {"iss": "https://evil.example"}),
    "no issuer": (VerificationError, {"iss": None}),
    "no code": (VerificationError, {"code": None}),
    "another code": (OAuthError, {"code": "of-another-client"}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_response_that_fails_a_check_ends_the_login_and_is_explained(
    login: Native, browser: Browser, name: str
) -> None:
    kind, change = BROKEN[name]
    browser.visit = lambda callback: (get(changed(callback, **change)), callback)
    error = login.failure(browser)
    assert isinstance(error, kind)
    page, callback = browser.result()
    assert status_of(page) == 400
    assert b"You are logged in" not in page
    assert code_in(callback).encode() not in page
    assert code_in(callback) not in str(error) + repr(error) + local_variables(error)
    assert is_closed(callback)


def test_two_codes_in_a_response_are_refused(login: Native, browser: Browser) -> None:
    browser.visit = lambda callback: get(f"{callback}&code=second")
    assert isinstance(login.failure(browser), VerificationError)
    assert status_of(browser.result()) == 400


def test_the_browser_is_told_of_success_only_once_the_token_is_there(login: Native, browser: Browser) -> None:
    login.provider.faults.add("token", status=503)
    error = login.failure(browser)
    assert b"You are logged in" not in browser.result()
    assert not isinstance(error, LoginError)


def test_a_window_that_was_closed_does_not_matter(login: Native, browser: Browser) -> None:
    def leave(callback: str) -> None:
        parts = urlsplit(callback)
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60) as sock:
            sock.sendall(f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())

    browser.visit = leave
    assert login.in_browser(browser).claims


def test_the_time_runs_out_by_the_clock_that_was_given(login: Native, browser: Browser) -> None:
    clock = Clock()
    opened: list[str] = []

    def wait_for_long(url: str) -> None:
        opened.append(url)
        clock.advance(31)

    error = login.failure(wait_for_long, timeout=30, clock=clock)
    assert isinstance(error, CallbackTimeout)
    assert str(error).startswith("No response came from the browser within 30 s. Start the login again")
    assert is_closed(parse_qs(urlsplit(opened[0]).query)["redirect_uri"][0])


def test_the_error_of_a_timeout_reports_a_response_of_another_login(login: Native, browser: Browser) -> None:
    clock = Clock()

    def visit(callback: str) -> None:
        assert status_of(get(changed(callback, state="of-another-login"))) == 400
        assert status_of(get(callback.replace("/callback", "/favicon.ico"))) == 404
        clock.advance(301)

    browser.visit = visit
    error = login.failure(browser, clock=clock)
    assert isinstance(error, CallbackTimeout)
    assert error.rejected == "This response belongs to another login."
    assert error.rejected in str(error)


def test_a_browser_that_cannot_be_opened_leaves_the_url_to_the_user(login: Native, browser: Browser) -> None:
    def broken(_: str) -> None:
        raise RuntimeError("no display")

    def show(url: str) -> None:  # the user opens it
        Thread(target=browser, args=(url,), name="doorkey-browser").start()

    assert login.in_browser(broken, show=show).claims


def test_the_url_is_written_to_standard_error_by_default(
    login: Native, browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    login.in_browser(browser, show=None)
    out, err = capsys.readouterr()
    assert out == ""
    assert f"\n\n  {browser.opened[0]}\n\n" in err


def test_a_provider_that_cannot_be_reached_is_a_transport_error(login: Native, browser: Browser) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{unused.getsockname()[1]}/realms/master"
        with pytest.raises(TransportError):
            login.call("login_in_browser", gone, CLIENT, open_browser=browser)
    assert browser.opened == []


WRONG: dict[str, dict[str, Any]] = {
    "https": {"redirect_uri": "https://127.0.0.1/callback"},
    "another host": {"redirect_uri": "http://127.0.0.1.evil/callback"},
    "a fragment": {"redirect_uri": "http://127.0.0.1/callback#x"},
    "a scheme of an app": {"redirect_uri": "com.example:/callback"},
    "no ports": {"ports": []},
    "a large port": {"ports": [65536]},
    "a text": {"ports": "8080"},
    "two ports": {"redirect_uri": "http://127.0.0.1:8000/callback", "ports": [8001]},
    "no time": {"timeout": "soon"},
    "eleven minutes": {"timeout": 660},
    "no callable": {"open_browser": "firefox"},
    "nothing to show with": {"show": "stderr"},
    "no clock": {"clock": 5},
    "a number as scope": {"scope": 5},
    "a state": {"state": "chosen"},
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_a_usage_error_before_the_browser_opens(login: Native, browser: Browser, name: str) -> None:
    with pytest.raises(UsageError):
        login.call(
            "login_in_browser", login.provider.issuer, CLIENT, **{"open_browser": browser, "show": str, **WRONG[name]}
        )
    assert browser.opened == []


def test_a_client_without_an_id_is_a_usage_error(login: Native) -> None:
    with pytest.raises(UsageError, match="client_id"):
        login.call("login_in_browser", login.provider.issuer, None)


def test_an_asynchronous_show_is_awaited_or_refused(login: Native, browser: Browser) -> None:
    shown: list[str] = []

    async def show(url: str) -> None:
        shown.append(url)

    if login.world == "blocking":
        assert isinstance(login.failure(browser, show=show), UsageError)
    else:
        result = login.in_browser(browser, show=show)
        assert isinstance(result, NativeLogin)
        assert shown == browser.opened
