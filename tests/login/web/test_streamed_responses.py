"""Responses that are passed on while they arrive: events and downloads, with bounds, until the browser is gone."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from doorkey.login.web.api_calls import APIError
from tests.login.web.test_api_proxy import App, MakeApp, make_app
from tests.support.hostile_server import WAIT, Endless, Exchange, reply
from tests.support.login_browser import Browser
from tests.support.web_sites import OnASGI, OnWSGI

__all__ = ["make_app"]

EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nSet-Cookie: a=b\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def leaving(app: App, parts: int) -> App:
    """Return the app in the same browser, which leaves after `parts` of a response."""
    site = app.browser.site
    assert isinstance(site, OnWSGI | OnASGI)
    browser = Browser(replace(site, parts=parts), jar=app.browser.jar)
    return App(browser, app.api, app.provider, app.clock)


def test_events_arrive_while_the_api_goes_on_and_it_is_hung_up_on_when_the_browser_leaves(make_app: MakeApp) -> None:
    app = make_app(stream=True).log_in()
    events = Endless(EVENTS, chunk(b"data: 1\n\n"), pause=0.01)
    app.api.on("/v1/events", events)
    answer = leaving(app, 2).fetch("/api/events", Accept="text/event-stream")
    events.wait_for_hang_up()
    assert (answer.status, answer.header("Content-Type")) == (200, "text/event-stream")
    assert answer.body.startswith(b"data: 1\n\ndata: 1\n\n")
    assert (answer.header("X-Accel-Buffering"), answer.header("Cache-Control")) == ("no", "no-store")
    assert answer.cookies == []


def test_an_api_that_sends_nothing_is_hung_up_on_when_the_browser_leaves(make_app: MakeApp) -> None:
    app, hung_up = make_app(stream=True).log_in(), threading.Event()

    def one_event(exchange: Exchange) -> None:
        exchange.send(EVENTS + chunk(b"data: 1\n\n"))
        exchange.until_hung_up()
        hung_up.set()

    app.api.on("/v1/events", one_event)
    assert leaving(app, 1).fetch("/api/events").body == b"data: 1\n\n"
    assert hung_up.wait(WAIT), "the connection to the API is still open"


def test_the_parts_of_a_response_without_chunks_arrive_while_the_api_goes_on(make_app: MakeApp) -> None:
    app = make_app(stream=True).log_in()
    events = Endless(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", b"data: 1\n\n", pause=0.01)
    app.api.on("/v1/events", events)
    assert leaving(app, 1).fetch("/api/events").body.startswith(b"data: 1\n\n")
    events.wait_for_hang_up()


def test_a_download_arrives_whole_and_no_token_with_it(make_app: MakeApp) -> None:
    app = make_app(stream=True).log_in()
    sent = bytes(range(256)) * 8192
    named = {"Content-Disposition": "attachment; filename=a.bin", "Set-Cookie": "a=b", "WWW-Authenticate": "Bearer"}
    app.api.on("/v1/file", reply(200, sent, named))
    answer = app.fetch("/api/file")
    assert (answer.status, answer.body == sent) == (200, True)
    assert answer.header("Content-Disposition") == named["Content-Disposition"]
    assert "sandbox" in answer.header("Content-Security-Policy")
    assert answer.cookies == []
    token = app.api.received[-1].token
    assert token is not None
    assert token not in str(answer.headers)
    assert answer.header("WWW-Authenticate") == ""


@pytest.mark.parametrize(
    ("options", "status"), [({"max_response": 5000}, 502), ({"max_duration": 0.001}, 504), ({"timeout": 0.2}, 504)]
)
def test_a_response_beyond_a_bound_breaks_off(make_app: MakeApp, options: dict[str, Any], status: int) -> None:
    app = make_app(stream=True, **options).log_in()
    pause = 3600.0 if "timeout" in options else 0.0
    endless = Endless(EVENTS + chunk(b"data: 1\n\n"), chunk(b"data: 1\n\n"), pause=pause)
    app.api.on("/v1/events", endless)
    try:
        with pytest.raises(APIError) as error:
            app.fetch("/api/events")
    finally:
        endless.over.set()
    assert error.value.status == status
    endless.wait_for_hang_up()


def test_a_response_that_breaks_off_does_not_look_complete(make_app: MakeApp) -> None:
    app = make_app(stream=True).log_in()

    def broken(exchange: Exchange) -> None:
        exchange.send(EVENTS + chunk(b"data: 1\n\n"))
        exchange.connection.close()

    app.api.on("/v1/events", broken)
    with pytest.raises(APIError):
        app.fetch("/api/events")


def test_what_is_known_before_the_body_is_answered_as_without_streaming(make_app: MakeApp) -> None:
    app = make_app(stream=True).log_in()
    app.api.on("/v1/away", reply(302, "", {"Location": "https://evil.example/"}))
    app.api.on("/v1/down", lambda exchange: exchange.reset())
    app.api.on("/v1/none", reply(204))
    rejected = reply(401, "", {"WWW-Authenticate": 'Bearer error="invalid_token"'})
    app.api.on("/v1/a", rejected, reply(200, "fine"))
    for path in ("/api/away", "/api/down"):
        answer = app.fetch(path)
        assert (answer.status, answer.json["error"]) == (502, "api_unavailable")
    assert (app.fetch("/api/none").status, app.fetch("/api/none", "HEAD").status) == (204, 204)
    assert app.fetch("/api/a", "POST", b"{}").text == "fine"
    assert app.fetch("/api/a", X_CSRF="").status == 403
