"""Every adapter behind one interface, so that a test is written once. A `Client` blocks on each library.

The coroutines of asynchronous clients run on one background event loop, to which each call waits.
"""

import ssl
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, cast

import httpx
import httpx2
import requests
from anyio.from_thread import BlockingPortal
from requests.auth import HTTPBasicAuth

from doorkey.integrations.httpx_client import on
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.oauth2.client import OAuth2Client
from doorkey.protocol.authorization import AuthorizationTransaction
from doorkey.protocol.introspection import Introspection
from doorkey.tokens import OAuth2Token


class Answer(Protocol):
    """What a response of any HTTP library has."""

    status_code: int
    text: str
    headers: Any

    def json(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """One client class, and where its library spells the same thing differently."""

    name: str
    library: Any
    make: Callable[..., OAuth2Client]
    is_async: bool
    following: dict[str, bool]
    """The option of a call that follows redirects."""
    upload: str
    """The option of a call that takes a body as it is."""
    basic: Callable[[str, str], object]
    """The library's own HTTP Basic."""
    defaults: dict[str, Any] = field(default_factory=dict[str, Any])
    """Options that every client of a test gets unless it says otherwise."""


_httpx2, _httpx = on("httpx2"), on("httpx")


# Reading the system's certificates takes longer than most tests: one context serves them all. And on a busy machine, a
# server may need longer than the 5 seconds that these libraries give it.
_OPTIONS: dict[str, Any] = {"verify": ssl.create_default_context(), "timeout": 60.0}


def _on_httpx(name: str, library: Any, make: Callable[..., OAuth2Client], *, is_async: bool) -> Kind:
    return Kind(name, library, make, is_async, {"follow_redirects": True}, "content", library.BasicAuth, _OPTIONS)


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "requests",
            requests,
            OAuth2Session,
            is_async=False,
            following={"allow_redirects": True},
            upload="data",
            basic=HTTPBasicAuth,
        ),
        _on_httpx("httpx2", httpx2, _httpx2.OAuth2Client, is_async=False),
        _on_httpx("httpx2-async", httpx2, _httpx2.AsyncOAuth2Client, is_async=True),
        _on_httpx("httpx", httpx, _httpx.OAuth2Client, is_async=False),
        _on_httpx("httpx-async", httpx, _httpx.AsyncOAuth2Client, is_async=True),
    )
}


class Client:
    """A session of the family whose every call blocks; `native` is the session itself."""

    def __init__(self, native: Any, kind: Kind, call: Callable[..., Any]) -> None:
        self.native = native
        self.kind = kind
        self._call = call

    @property
    def token(self) -> OAuth2Token | None:
        return cast("OAuth2Token | None", self.native.token)

    @token.setter
    def token(self, token: Any) -> None:
        self.native.token = token

    @property
    def access_token(self) -> str:
        assert self.token is not None
        return self.token.access_token

    def fetch_token(self, *args: Any, **kwargs: Any) -> OAuth2Token:
        return cast(OAuth2Token, self._call(self.native.fetch_token, *args, **kwargs))

    def fetch_access_token(self, *args: Any, **kwargs: Any) -> OAuth2Token:
        return cast(OAuth2Token, self._call(self.native.fetch_access_token, *args, **kwargs))

    def create_authorization_url(self, *args: Any, **kwargs: Any) -> tuple[str, str]:
        return cast("tuple[str, str]", self.native.create_authorization_url(*args, **kwargs))

    def begin_authorization(self, *args: Any, **kwargs: Any) -> AuthorizationTransaction:
        return cast(AuthorizationTransaction, self.native.begin_authorization(*args, **kwargs))

    def token_from_fragment(self, *args: Any, **kwargs: Any) -> OAuth2Token:
        return cast(OAuth2Token, self._call(self.native.token_from_fragment, *args, **kwargs))

    def refresh_token(self, *args: Any, **kwargs: Any) -> OAuth2Token:
        return cast(OAuth2Token, self._call(self.native.refresh_token, *args, **kwargs))

    def ensure_active_token(self, *args: Any, **kwargs: Any) -> bool:
        return cast(bool, self._call(self.native.ensure_active_token, *args, **kwargs))

    def revoke_token(self, *args: Any, **kwargs: Any) -> Answer:
        return cast(Answer, self._call(self.native.revoke_token, *args, **kwargs))

    def introspect_token(self, *args: Any, **kwargs: Any) -> Introspection:
        return cast(Introspection, self._call(self.native.introspect_token, *args, **kwargs))

    def request(self, method: str, url: str, **kwargs: Any) -> Answer:
        return cast(Answer, self._call(self.native.request, method, url, **kwargs))

    def get(self, url: str, **kwargs: Any) -> Answer:
        return cast(Answer, self._call(self.native.get, url, **kwargs))

    def post(self, url: str, **kwargs: Any) -> Answer:
        return cast(Answer, self._call(self.native.post, url, **kwargs))

    def call(self, name: str, *args: Any, **kwargs: Any) -> Answer:
        """Call any other method of the session."""
        return cast(Answer, self._call(getattr(self.native, name), *args, **kwargs))

    def following_redirects(self, method: str, url: str, **kwargs: Any) -> Answer:
        return self.request(method, url, **self.kind.following, **kwargs)

    def upload(self, url: str, chunks: Iterable[bytes]) -> Answer:
        """Send a body that comes in chunks, as an iterator of the kind that the client takes."""
        body = _achunks(chunks) if self.kind.is_async else iter(chunks)
        return self.post(url, **{self.kind.upload: body})

    def streamed(self, method: str, url: str, until: int | None = None) -> tuple[int, bytes]:
        """Return the status and the body (its first `until` bytes) of a response that is streamed."""
        if self.kind.is_async:
            return cast("tuple[int, bytes]", self._call(self._astreamed, method, url, until))
        if self.kind.name == "requests":
            opened: Any = self.native.request(method, url, stream=True)
        else:
            opened = self.native.stream(method, url)
        body = b""
        with opened as answer:
            chunks = answer.iter_content(None) if self.kind.name == "requests" else answer.iter_bytes()
            for chunk in chunks:
                body += chunk
                if until is not None and len(body) >= until:
                    break
            return answer.status_code, body

    async def _astreamed(self, method: str, url: str, until: int | None) -> tuple[int, bytes]:
        body = b""
        async with self.native.stream(method, url) as answer:
            async for chunk in answer.aiter_bytes():
                body += chunk
                if until is not None and len(body) >= until:
                    break
            return answer.status_code, body

    def close(self) -> None:
        self._call(self.native.aclose if self.kind.is_async else self.native.close)


async def _achunks(chunks: Iterable[bytes]) -> Any:
    for chunk in chunks:
        yield chunk


def _directly(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)


@dataclass(slots=True)
class Adapter:
    """Makes clients of one kind, and closes them after the test."""

    kind: Kind
    portal: BlockingPortal
    _clients: list[Client] = field(default_factory=list[Client])

    def client(self, client_id: str | None = "a-client", client_secret: Any = None, **options: Any) -> Client:
        return self.adopt(self.kind.make(client_id, client_secret, **{**self.kind.defaults, **options}))

    def adopt(self, native: Any) -> Client:
        """Drive a session that the test has made, and close it."""
        client = Client(native, self.kind, self.caller)
        self._clients.append(client)
        return client

    @property
    def caller(self) -> Callable[..., Any]:
        """What calls a method of a client of this kind, and returns what it brings."""
        return self._through_the_portal if self.kind.is_async else _directly

    def _through_the_portal(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self.portal.call(partial(function, *args, **kwargs))

    def function(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """Return `work` as a callback of the client's own world: what it returns is awaited where that is async."""
        if not self.kind.is_async:
            return work

        async def awaited(*args: Any, **kwargs: Any) -> Any:
            value = work(*args, **kwargs)
            return await value if hasattr(value, "__await__") else value

        return awaited

    def close(self) -> None:
        for client in self._clients:
            client.close()


@contextmanager
def adapter_of(name: str, portal: BlockingPortal) -> Generator[Adapter]:
    adapter = Adapter(KINDS[name], portal)
    try:
        yield adapter
    finally:
        adapter.close()


def together(times: int, call: Callable[[], Any]) -> list[Any]:
    """Return what `call` returned or raised in each of `times` threads at once."""

    def outcome(_: int) -> Any:
        try:
            return call()
        except Exception as error:  # noqa: BLE001  # the outcome that the test looks at
            return error

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(outcome, range(times)))


@contextmanager
def in_background(call: Callable[[], Any]) -> Generator[Callable[[], Any]]:
    """Run `call` in a thread for as long as the block; the function that it gives waits for the outcome."""
    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(call)
        yield lambda: future.result(60)
