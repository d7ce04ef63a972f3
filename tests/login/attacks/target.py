"""The program under attack, with its provider and its users' browsers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from anyio.from_thread import BlockingPortal

from tests.support.caches import AsyncCache, Cache
from tests.support.hostile_server import reply
from tests.support.login_programs import Program, site
from tests.support.openid_provider import CLIENT, SECRET, OpenIDProvider
from tests.support.relying_party import parameters
from tests.support.web_browser import Browser
from tests.support.web_sites import Page, Site

CONFIGURATION = "/.well-known/openid-configuration"
ERRORS = "OAuthError"
"""The class that programs catch around a callback."""

Made = TypeVar("Made")


@dataclass
class Target:
    """A program of one framework at one provider."""

    framework: str
    provider: OpenIDProvider
    portal: BlockingPortal
    package: str = "doorkey"
    cached: bool = False
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    """Options of `register` that override the defaults in `program`."""
    _program: Program | None = None
    _site: Site | None = None

    @property
    def program(self) -> Program:
        """The program's configuration, made when it is first needed."""
        if self._program is None:
            usual: dict[str, Any] = {
                "client_id": CLIENT,
                "client_secret": SECRET,
                "server_metadata_url": self.provider.server.url(CONFIGURATION),
                "client_kwargs": {"scope": "openid profile", "timeout": 20.0},
            }
            cache = None
            if self.cached:
                cache = AsyncCache() if self.framework == "starlette" else Cache()
            self._program = Program(
                package=self.package,
                options={**usual, **self.options},
                api=self.provider.server.url("/api"),
                cache=cache,
                run=self.portal.call,
            )
        return self._program

    def process(self, **changed: Any) -> Site:
        """Start another process of the program, with another configuration if a part of it `changed`."""
        return site(self.framework, self.program.but(**changed))

    @property
    def site(self) -> Site:
        """The process that answers unless a test starts others."""
        if self._site is None:
            self._site = self.process()
        return self._site

    def browser(self, site: Site | None = None) -> Browser:
        """Return a new browser in front of the first process, or of another `site`."""
        return Browser(site or self.site, self.program.origin)

    # -- a login, step by step -----------------------------------------------------------------------------------------

    def begin(self, browser: Browser, **extra: str) -> str:
        """Begin a login, and return the URL of the authorization request."""
        return browser.get("/login", query=extra).location

    def response(self, url: str, **changed: str | None) -> dict[str, str]:
        """Let the user log in, and return the parameters of the provider's response; None removes one."""
        answer = self.provider.log_in(url)
        came: dict[str, str] = parameters(answer) if isinstance(answer, str) else answer
        found: dict[str, str | None] = {**came, **changed}
        return {name: value for name, value in found.items() if value is not None}

    def finish(self, browser: Browser, url: str, **changed: str | None) -> Page:
        """Bring the provider's response to the callback."""
        return browser.get("/callback", query=self.response(url, **changed))

    def log_in(self, browser: Browser) -> Page:
        """Log a user in, from the first page to the last."""
        return self.finish(browser, self.begin(browser))

    # -- what happened -------------------------------------------------------------------------------------------------

    @property
    def token_requests(self) -> list[dict[str, str]]:
        return [request.form for request in self.provider.server.token_requests]

    def supports_iss(self) -> None:
        """Let the provider's metadata promise `iss` in each authorization response (RFC 9207 §3)."""
        metadata = {**self.provider.metadata, "authorization_response_iss_parameter_supported": True}
        self.provider.server.on(CONFIGURATION, reply(json=metadata))


def state_of(url: str) -> str:
    return parameters(url)["state"]


def logged_in(page: Page) -> dict[str, Any]:
    """Assert that a login has succeeded, and return what the program says about it."""
    assert page.status == 200, page.text[:2000]
    found: dict[str, Any] = page.json
    return found


def refused(page: Page, *kinds: str) -> dict[str, Any]:
    """Assert that the program caught an error, of one of these classes if any are named, and return what it says."""
    assert page.status == 400, f"{page.status}: {page.header('Location') or page.text[:2000]}"
    found: dict[str, Any] = page.json
    assert ERRORS in found["kinds"], found
    assert not kinds or found["error"] in kinds, found
    return found


def at_once(count: int, call: Callable[[int], Made]) -> list[Made]:
    """Call `call(number)` in `count` threads that begin together, and return the results in order."""
    results: dict[int, Made] = {}
    together = threading.Barrier(count)

    def work(number: int) -> None:
        together.wait()
        results[number] = call(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[number] for number in range(count)]
