"""Apple and LinkedIn in the registry of each framework: a posted callback, a client secret made anew, no verifier."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from doorkey.login.presets import preset
from tests.login.presets.providers import CALLBACK, CLIENT, NOW, PROVIDERS, SECRET, Server
from tests.login.presets.test_table import PARAMETERS
from tests.support.hostile_server import Exchange, Hostile, Received, Whole, reply
from tests.support.login_programs import FRAMEWORKS, Program, settings, site
from tests.support.web_browser import Browser
from tests.support.web_sites import Page

SITE = "https://app.example/auth"


class Loopback:
    """A provider whose endpoints are at 127.0.0.1, with the same paths."""

    def __init__(self, name: str, hostile: Hostile) -> None:
        found = preset(name, **PARAMETERS[name])
        documented, issuer = PROVIDERS[name], hostile.url("")

        def here(url: Any) -> Any:
            is_url = isinstance(url, str) and url.startswith("https://")
            return hostile.url(urlsplit(url).path) if is_url else url

        if documented.metadata is not None:
            documented = replace(documented, metadata={key: here(url) for key, url in documented.metadata.items()})
        if documented.userinfo is not None:
            documented = replace(documented, userinfo=(here(documented.userinfo[0]), documented.userinfo[1]))
        self.server = Server(name, issuer)
        self.server.documented = documented
        self._hostile = hostile
        self.options = {key: here(value) for key, value in found.register_options().items()}
        self.options |= {"client_id": CLIENT} | ({} if name == "apple" else {"client_secret": SECRET})
        self.options["client_kwargs"]["clock"] = lambda: float(NOW)
        metadata = documented.metadata or {}
        self._token_endpoint: str = metadata.get("token_endpoint") or self.options["access_token_url"]
        endpoints = [metadata.get("jwks_uri"), *(documented.userinfo or ())[:1], self._token_endpoint]
        for url in (*endpoints, self.options.get("server_metadata_url")):
            if url is not None:
                hostile.on(urlsplit(url).path, Whole(self._answer))

    def _answer(self, exchange: Exchange) -> None:
        asked = exchange.request
        url = self._hostile.url(asked.target)
        answer = self.server.answer(httpx2.Request(asked.method, url, headers=asked.headers, content=asked.body))
        exchange.send(reply(answer.status_code, answer.content, {"Content-Type": "application/json"}))

    @property
    def token_requests(self) -> list[Received]:
        return self._hostile.to(urlsplit(self._token_endpoint).path)


Open = Callable[[str], tuple[Browser, Loopback]]


@pytest.fixture(params=FRAMEWORKS)
def opened(request: pytest.FixtureRequest, hostile: Hostile) -> Iterator[Open]:
    """Return what opens a browser at a program of the framework, with a session cookie that a posted callback has."""
    with ExitStack() as stack:
        stack.enter_context(settings(request.param))
        runner = stack.enter_context(asyncio.Runner())

        def run(function: Callable[..., Any], *arguments: Any) -> Any:
            return runner.run(function(*arguments))

        def at(name: str) -> tuple[Browser, Loopback]:
            provider = Loopback(name, hostile)
            program = Program(options=provider.options, api="", origin=SITE, same_site="None", run=run)
            assert program.callback == CALLBACK
            stack.callback(program.close)
            return Browser(site(request.param, program), "https://app.example"), provider

        yield at


def log_in(browser: Browser, provider: Loopback) -> Page:
    back = provider.server.authorize(browser.get("/login").location)
    if provider.server.request.get("response_mode") == "form_post":
        return browser.post("/callback", back, cross_site=True)
    return browser.get("/callback", query=back)


def test_apple_posts_the_callback_and_gets_a_client_secret_that_is_made_anew_for_each_login(opened: Open) -> None:
    browser, provider = opened("apple")
    for _ in range(2):
        page = log_in(browser, provider)
        assert (page.status, page.json.get("sub")) == (200, PROVIDERS["apple"].expected["sub"]), page.text
    assert provider.server.request["response_mode"] == "form_post"
    first, second = (one.form["client_secret"] for one in provider.token_requests)
    assert first.count(".") == second.count(".") == 2, "a JWT, which the provider has verified"
    assert first != second


def test_linkedin_gets_no_code_verifier_from_a_registry(opened: Open) -> None:
    browser, provider = opened("linkedin")
    page = log_in(browser, provider)
    assert page.status == 200, page.text
    assert browser.get("/userinfo").json["sub"] == PROVIDERS["linkedin"].expected["sub"]
    (asked,) = provider.token_requests
    assert "code_verifier" not in asked.form
    assert (asked.form["client_id"], asked.form["client_secret"]) == (CLIENT, SECRET)
