"""Each test of this folder that takes `shortcut` runs in every framework, at a provider that misbehaves on demand."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest

from doorkey.login import Login
from doorkey.stores import MemoryStore
from tests.support.fake_clock import Clock
from tests.support.hostile_server import Hostile, reply
from tests.support.login_application import PUBLIC, SECRET
from tests.support.login_browser import Browser
from tests.support.login_sites import BLOCKING, SITES
from tests.support.login_stores import Awaited
from tests.support.openid_provider import CLIENT, OpenIDProvider
from tests.support.openid_provider import SECRET as CLIENT_SECRET
from tests.support.relying_party import parameters
from tests.support.web_browser import JSON, PAGE
from tests.support.web_sites import Page, Site

SID = "sid-1"


@dataclass
class Shortcut:
    """An application with a `Login` in one framework. Its processes share a store."""

    framework: str
    provider: OpenIDProvider
    clock: Clock
    stack: ExitStack
    store: MemoryStore = field(default_factory=MemoryStore)
    _first: Site | None = None

    def process(self, **changed: Any) -> Site:
        """Start a process. `changed` has arguments of `Login` that override the defaults of this method."""
        usual: dict[str, Any] = {
            "issuer": self.provider.issuer,
            "client_id": CLIENT,
            "client_secret": CLIENT_SECRET,
            "base_url": PUBLIC,
            "secret": SECRET,
            "sessions": self.store if self.framework in BLOCKING else Awaited(self.store),
            "clock": self.clock,
        }
        login = Login(**{**usual, **changed})
        site: Site = self.stack.enter_context(SITES[self.framework](login, self.provider.server.url("/api")))
        return site

    def browser(self, site: Site | None = None) -> Browser:
        """Return a new browser in front of the first process, or of another `site`."""
        if site is None:
            site = self._first = self._first or self.process()
        return Browser(site, PUBLIC)

    def workers(self, count: int) -> list[Site]:
        """Start processes that answer at the same time."""
        return [self.process() for _ in range(count)]

    def begin(self, browser: Browser, next_page: str = "/") -> str:
        """Begin a login, and return the URL of the authorization request."""
        begun = browser.get(f"/auth/login?{urlencode({'next': next_page})}")
        assert begun.status == 303, begun.text
        return begun.location

    def response(self, url: str, **changed: str | None) -> dict[str, str]:
        """Let the user log in, and return the parameters of the provider's response; None removes one."""
        came = self.provider.log_in(url)
        found: dict[str, str | None] = {**(parameters(came) if isinstance(came, str) else came), **changed}
        return {name: value for name, value in found.items() if value is not None}

    def finish(self, browser: Browser, url: str, headers: Mapping[str, str] = PAGE, **changed: str | None) -> Page:
        """Bring the provider's response to the callback."""
        return browser.get(f"/auth/callback?{urlencode(self.response(url, **changed))}", headers)

    def log_in(self, browser: Browser) -> Page:
        done = self.finish(browser, self.begin(browser))
        assert done.status == 303, done.text
        return done

    def supports(self, **members: Any) -> None:
        """Add members to the provider's metadata."""
        metadata = {**self.provider.metadata, **members}
        self.provider.server.on("/.well-known/openid-configuration", reply(json=metadata))

    @property
    def token_requests(self) -> int:
        return len(self.provider.server.token_requests)


def page_of(answer: Page, *words: str) -> str:
    """Assert that an answer is a page that explains an error, and offers to begin again."""
    assert 400 <= answer.status < 600, f"{answer.status} {answer.location}"
    assert answer.header("Content-Type").startswith("text/html")
    assert "Traceback" not in answer.text
    assert 'href="/auth/login' in answer.text, answer.text
    for word in words:
        assert word in answer.text, answer.text
    return answer.text


def code_of(answer: Page) -> str:
    """Assert that an answer is an error as JSON, and return its code."""
    assert 400 <= answer.status < 600, f"{answer.status} {answer.location}"
    return str(json.loads(answer.body)["code"])


__all__ = ["JSON", "PAGE", "SID", "Shortcut", "code_of", "page_of"]


@pytest.fixture
def clock() -> Clock:
    """Real time, moved forward: an HTTP library has its own clock."""
    return Clock(time.time)


@pytest.fixture
def provider(hostile: Hostile, clock: Clock) -> OpenIDProvider:
    """A provider whose ID tokens have a session ID."""
    made = OpenIDProvider(hostile, clock)
    made.changed = {"sid": SID}
    return made


@pytest.fixture(params=["flask", "starlette", "django"])
def shortcut(request: pytest.FixtureRequest, provider: OpenIDProvider, clock: Clock) -> Iterator[Shortcut]:
    """An application in each framework. FastAPI has the routes of Starlette."""
    with ExitStack() as stack:
        yield Shortcut(request.param, provider, clock, stack)
