"""Two users of one program at once: neither ever gets the other's token, name or claims."""

from __future__ import annotations

import io
import json
from importlib import import_module
from typing import Any, Final

import httpx2
import requests
from requests.adapters import BaseAdapter

from tests.login.attacks.target import Target, at_once, logged_in
from tests.support.web_browser import Browser

REQUESTS: Final = 400
"""Whole requests to a program; `test_ten_thousand_turns.py` has more of them, on one Python."""
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
            super().__init__(*args, **options)  # pyright: ignore[reportUnknownMemberType]
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


def two_users_interleaved(target: Target, requests: int) -> None:
    """Let two users call the API in turns, and compare the tokens that it got for each with their own."""
    site = target.process(api=API, options={**target.program.options, **answered_here(target)})
    users = users_of(target)
    for browser, _ in users:
        browser.site = site
    seen: list[set[str]] = [set(), set()]
    for turn in range(requests):
        browser, _ = users[turn % 2]
        seen[turn % 2].add(browser.get("/api").json["body"]["token"])
    assert seen == [{token} for _, token in users]


def test_two_users_of_a_program_never_see_each_others_token(target: Target) -> None:
    two_users_interleaved(target, REQUESTS)


def test_users_in_several_threads_never_see_each_others_token(target: Target) -> None:
    site = target.process(api=API, options={**target.program.options, **answered_here(target)})
    users = users_of(target)

    def call(number: int) -> set[str]:
        browser, _ = users[number % 2]
        own = Browser(site, browser.origin, browser.jar)
        return {own.get("/api").json["body"]["token"] for _ in range(100)}

    assert at_once(8, call) == [{users[number % 2][1]} for number in range(8)]
