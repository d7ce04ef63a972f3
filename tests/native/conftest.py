"""An embedded provider, a native login that blocks or awaits, and a browser that is a raw socket."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import anyio
import pytest

from doorkey import native
from doorkey.errors import OAuthError
from doorkey.native import NativeLogin
from doorkey.testing import Provider, client
from tests.support.raw_http import get

WORLDS = ("blocking", "asyncio", "trio")
CLIENT = "my-tool"


@pytest.fixture(scope="package")
def provider() -> Iterator[Provider]:
    """A provider with a public client and a confidential one, whose redirect URI is a loopback one without a port."""
    uris = ["http://127.0.0.1/callback", "http://localhost/callback", "http://[::1]/callback"]
    clients = [client(CLIENT, redirect_uris=uris), client("confidential", "s3cret-s3cret", redirect_uris=uris)]
    with Provider(clients=clients) as running:
        yield running


@dataclass
class Browser:
    """Logs alice in, and does `visit(callback)` with the callback URL: by default, one GET."""

    provider: Provider
    visit: Callable[[str], Any] = get
    opened: list[str] = field(default_factory=list[str])
    results: queue.SimpleQueue[Any] = field(default_factory=queue.SimpleQueue[Any])

    def __call__(self, url: str) -> bool:
        self.opened.append(url)
        try:
            self.results.put(self.visit(self.provider.log_in(url, "alice")))
        except BaseException as error:
            self.results.put(error)
            raise
        return True

    def result(self) -> Any:
        """Return what the visit returned, or raise what it raised."""
        result = self.results.get(timeout=60)
        if isinstance(result, BaseException):
            raise result
        return result


@dataclass
class Native:
    """Native logins of one world."""

    world: str
    provider: Provider

    def call(self, name: str, *args: Any, **options: Any) -> NativeLogin:
        """Call a function of `doorkey.native`, or its twin."""
        if self.world == "blocking":
            blocked: NativeLogin = getattr(native, name)(*args, **options)
            return blocked
        result: NativeLogin = anyio.run(partial(getattr(native, f"a{name}"), *args, **options), backend=self.world)
        return result

    def in_browser(self, browser: Callable[[str], Any], client_id: str = CLIENT, **options: Any) -> NativeLogin:
        """Log in by `login_in_browser`; the URL is shown nowhere."""
        options = {"show": str, **options}
        return self.call("login_in_browser", self.provider.issuer, client_id, open_browser=browser, **options)

    def failure(self, browser: Callable[[str], Any], **options: Any) -> OAuthError:
        """Return the error of a login."""
        with pytest.raises(OAuthError) as caught:
            self.in_browser(browser, **options)
        return caught.value


@pytest.fixture(params=WORLDS)
def login(request: pytest.FixtureRequest, provider: Provider) -> Native:
    return Native(request.param, provider)


@pytest.fixture
def browser(provider: Provider) -> Browser:
    return Browser(provider)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """A login leaves no thread behind, except idle ones of `runtime.reused_threads`."""
    yield
    for thread in threading.enumerate():
        if thread.name == "doorkey-browser":
            thread.join(60)
            assert not thread.is_alive()
