"""Two users of one program at once: neither ever gets the other's token, name or claims."""

from __future__ import annotations

import io
import json
from importlib import import_module
from typing import Any, Final

import httpx2
import requests
from anyio.from_thread import BlockingPortal
from requests.adapters import BaseAdapter

from doorkey.login import AsyncLoginClient, LoginClient
from tests.login.attacks.target import Target, at_once, logged_in
from tests.support.openid_provider import CLIENT, HOME, SECRET, OpenIDProvider
from tests.support.web_sites import Browser

TURNS: Final = 10_000
REQUESTS: Final = 1_000
"""Turns that are whole requests to a program: one costs as much as ten with the login client alone."""
API: Final = "https://api.example/"
USERS: Final = ("alice", "bob")


class Echo(BaseAdapter):
    """Answers with the token of the request, without a socket."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = 200, request, API
        answer.raw = io.BytesIO(json.dumps({"token": request.headers["Authorization"]}).encode())
        return answer

    def close(self) -> None: ...


def echo(request: httpx2.Request) -> httpx2.Response:
    """Answer with the token of the request, without a socket."""
    return httpx2.Response(200, json={"token": request.headers["Authorization"]})


def answered_here(target: Target) -> dict[str, Any]:
    """Return options of `register` with which requests to `API` are answered in this process."""
    kwargs = target.program.options["client_kwargs"]
    if target.framework == "starlette":
        return {"client_kwargs": {**kwargs, "mounts": {API: httpx2.MockTransport(echo)}}}
    kind: Any = import_module(f"{target.package}.integrations.requests_client").OAuth2Session

    class Session(kind):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.mount(API, Echo())

    app: Any = getattr(target.program.module(target.framework), f"{target.framework.title()}OAuth2App")
    return {"client_cls": type("App", (app,), {"client_cls": Session})}


def users_of(target: Target) -> list[tuple[Browser, str]]:
    """Log two users in, one in the middle of the other's login; return their browsers and tokens."""
    browsers = [target.browser() for _ in USERS]
    urls = [target.begin(browser) for browser in browsers]
    tokens: list[str] = []
    for name, browser, url in zip(USERS, browsers, urls, strict=True):
        target.provider.changed = {"sub": name}
        found = logged_in(target.finish(browser, url))
        assert found["sub"] == name
        tokens.append(f"Bearer {found['access_token']}")
    assert tokens[0] != tokens[1]
    return list(zip(browsers, tokens, strict=True))


def two_tokens(provider: OpenIDProvider, begin: Any, finish: Any) -> list[Any]:
    """Log two users in with one login client, and return their tokens."""
    results: list[Any] = []
    begun = [begin() for _ in USERS]
    for name, one in zip(USERS, begun, strict=True):
        provider.changed = {"sub": name}
        results.append(finish(provider.log_in(one.url), one.pending))
    assert [result.claims["sub"] for result in results] == list(USERS)
    return [result.token for result in results]


def test_two_users_of_a_login_client_interleaved_10_000_times_never_see_each_others_token(
    provider: OpenIDProvider,
) -> None:
    http = requests.Session()
    http.mount(API, Echo())
    with http, LoginClient(CLIENT, SECRET, issuer=provider.issuer, redirect_uri=HOME, http_client=http) as login:
        tokens = two_tokens(provider, login.begin, login.finish)
        seen: list[set[str]] = [set(), set()]
        for turn in range(TURNS):
            seen[turn % 2].add(login.session(tokens[turn % 2]).get(API).json()["token"])
    assert seen == [{f"Bearer {token['access_token']}"} for token in tokens]


def test_two_users_of_an_async_login_client_interleaved_10_000_times_never_see_each_others_token(
    provider: OpenIDProvider, portal: BlockingPortal
) -> None:
    async def interleaved() -> tuple[list[set[str]], list[Any]]:
        mounts = {API: httpx2.MockTransport(echo)}
        async with (
            httpx2.AsyncClient(mounts=mounts) as http,
            AsyncLoginClient(CLIENT, SECRET, issuer=provider.issuer, redirect_uri=HOME, http_client=http) as login,
        ):
            begun = [await login.begin() for _ in USERS]
            tokens: list[Any] = []
            for name, one in zip(USERS, begun, strict=True):
                provider.changed = {"sub": name}
                tokens.append((await login.finish(provider.log_in(one.url), one.pending)).token)
            seen: list[set[str]] = [set(), set()]
            for turn in range(TURNS):
                response = await login.session(tokens[turn % 2]).get(API)
                seen[turn % 2].add(response.json()["token"])
            return seen, tokens

    seen, tokens = portal.call(interleaved)
    assert seen == [{f"Bearer {token['access_token']}"} for token in tokens]


def test_two_users_of_a_program_never_see_each_others_token(target: Target) -> None:
    site = target.process(api=API, options={**target.program.options, **answered_here(target)})
    users = users_of(target)
    for browser, _ in users:
        browser.site = site
    seen: list[set[str]] = [set(), set()]
    for turn in range(REQUESTS):
        browser, _ = users[turn % 2]
        seen[turn % 2].add(browser.get("/api").json["body"]["token"])
    assert seen == [{token} for _, token in users]


def test_users_in_several_threads_never_see_each_others_token(target: Target) -> None:
    site = target.process(api=API, options={**target.program.options, **answered_here(target)})
    users = users_of(target)

    def call(number: int) -> set[str]:
        browser, _ = users[number % 2]
        own = Browser(site, cookies=browser.cookies)
        return {own.get("/api").json["body"]["token"] for _ in range(100)}

    assert at_once(8, call) == [{users[number % 2][1]} for number in range(8)]
