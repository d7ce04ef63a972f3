"""A web application with `LoginClient` or `AsyncLoginClient` on each adapter, and its provider in this process."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from doorkey.login import AsyncLoginClient, Begun, LoginClient, LoginResult, PendingLogin
from tests.support.every_adapter import Adapter
from tests.support.fake_clock import Clock
from tests.support.hostile_server import Hostile
from tests.support.named_servers import Authority, Proven
from tests.support.openid_provider import CLIENT, HOME, SECRET, OpenIDProvider
from tests.support.session_fixtures import adapter, authority

__all__ = ["adapter", "authority"]


@dataclass
class Application:
    """One registration on one adapter, behind calls that block; `native` is the login client itself."""

    adapter: Adapter
    provider: OpenIDProvider
    _made: list[Any] = field(default_factory=list[Any])

    def client(self, **options: Any) -> Any:
        """Return a new login client at the provider; `options` override the defaults, and None removes one."""
        kind = self.adapter.kind
        usual: dict[str, Any] = {
            "issuer": self.provider.issuer,
            "redirect_uri": HOME,
            "clock": self.provider.clock,
            "client_cls": kind.make,
            **kind.defaults,
        }
        given = {name: value for name, value in {**usual, **options}.items() if value is not None}
        made = (AsyncLoginClient if kind.is_async else LoginClient)(CLIENT, SECRET, **given)
        self._made.append(made)
        return made

    @property
    def native(self) -> Any:
        """The login client, made once."""
        return self._made[0] if self._made else self.client()

    def call(self, method: Any, *args: Any, **kwargs: Any) -> Any:
        """Call a method of a login client or of a session, and return what it brings."""
        return self.adapter.caller(method, *args, **kwargs)

    def begin(self, *args: Any, **kwargs: Any) -> Begun:
        begun: Begun = self.call(self.native.begin, *args, **kwargs)
        return begun

    def finish(self, params: Any, pending: PendingLogin | None, **kwargs: Any) -> LoginResult:
        result: LoginResult = self.call(self.native.finish, params, pending, **kwargs)
        return result

    def log_in(self, **parameters: Any) -> LoginResult:
        begun = self.begin(**parameters)
        return self.finish(self.provider.log_in(begun.url), begun.pending)

    def get(self, session: Any, url: str) -> Any:
        return self.call(session.get, url)

    def close(self) -> None:
        for made in self._made:
            self.call(made.aclose if self.adapter.kind.is_async else made.close)


@pytest.fixture
def provider(hostile: Hostile, clock: Clock) -> OpenIDProvider:
    """A provider that misbehaves on demand, and keeps its connections."""
    provider = OpenIDProvider(hostile, clock, keeps_connections=True)
    assert provider.keys, "made before several threads ask for them at once"
    return provider


@pytest.fixture
def stranger(authority: Authority) -> Iterator[Hostile]:
    """A server whose certificate no client trusts."""
    server = Proven(authority.proof("localhost"), "localhost")
    yield server
    server.close()


@pytest.fixture
def app(adapter: Adapter, provider: OpenIDProvider) -> Iterator[Application]:
    """An application on each adapter."""
    app = Application(adapter, provider)
    yield app
    app.close()
