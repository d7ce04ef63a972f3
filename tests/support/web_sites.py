"""Web applications in this process, called without a socket; `tests.support.web_browser` has the browser before them.

site = OnWSGI(app)
page = Browser(site).get("/auth/login")
"""

from __future__ import annotations

import io
import json as json_module
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping, MutableMapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol, TypeAlias
from urllib.parse import SplitResult, unquote, unquote_to_bytes, urlsplit


@dataclass(frozen=True, slots=True)
class Page:
    """A response of a site."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """The value of a header, or an empty text."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    @property
    def location(self) -> str:
        """The target of a redirect; a page without one fails the test with its text."""
        found = self.header("Location")
        assert found, f"{self.status}: {self.text[:2000]}"
        return found

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        return json_module.loads(self.body)

    @property
    def cookies(self) -> list[str]:
        """The values of `Set-Cookie`."""
        return [value for name, value in self.headers if name.lower() == "set-cookie"]


class Site(Protocol):
    """An application, called without a socket."""

    def call(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Page: ...


Around: TypeAlias = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True)
class OnWSGI:
    """A WSGI application.

    around: returns what each request runs inside of.
    environment: further variables of each request.
    parts: parts of the body after which the browser leaves; None: it stays to the end.
    """

    app: Any
    around: Around = nullcontext
    environment: Mapping[str, Any] = field(default_factory=dict[str, Any])
    parts: int | None = None

    def call(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Page:
        began: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, pairs: list[tuple[str, str]], _: object = None) -> None:
            began.append((status, pairs))

        with self.around(), _closed(self.app(self._environ(method, url, headers, body), start_response)) as parts:
            received = list(islice(parts, self.parts))
        status, pairs = began[-1]
        return Page(int(status.split()[0]), tuple(pairs), b"".join(received))

    def _environ(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        parts = urlsplit(url)
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(parts.path).decode("latin-1"),
            "QUERY_STRING": parts.query,
            "SERVER_NAME": parts.hostname or "",
            "SERVER_PORT": str(_port(parts)),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": parts.netloc,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": parts.scheme,
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **self.environment,
        }
        for name, value in headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        return environ


@contextmanager
def _closed(parts: Iterable[bytes]) -> Generator[Iterable[bytes]]:
    try:
        yield parts
    finally:  # as a server does, also when the browser has left
        getattr(parts, "close", bool)()


@dataclass(frozen=True)
class OnASGI:
    """An ASGI application; `run(function, *arguments)` awaits in its event loop.

    raises: raise what the application raises; False: its server only logs that.
    parts: as for `OnWSGI`.
    """

    app: Callable[..., Awaitable[None]]
    run: Callable[..., Any]
    raises: bool = True
    parts: int | None = None

    def call(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Page:
        page: Page = self.run(self._answered, method, urlsplit(url), headers, body)
        return page

    async def _answered(self, method: str, url: SplitResult, headers: Mapping[str, str], body: bytes) -> Page:
        from anyio import Event

        gone, said = Event(), list[Any]()
        requests = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> dict[str, Any]:
            for request in requests:
                return request
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            said.append(message)
            is_last = message["type"] == "http.response.body" and not message.get("more_body")
            if is_last or sum(1 for one in said if one.get("body")) == self.parts:
                gone.set()

        with nullcontext() if self.raises else suppress(Exception):
            await self.app(_scope(method, url, headers), receive, send)
        start, *bodies = said
        pairs = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"])
        return Page(start["status"], pairs, b"".join(one.get("body", b"") for one in bodies))


def _scope(method: str, url: SplitResult, headers: Mapping[str, str]) -> MutableMapping[str, Any]:
    named = {"host": url.netloc, **{name.lower(): value for name, value in headers.items()}}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": url.scheme,
        "path": unquote(url.path),
        "raw_path": url.path.encode(),
        "root_path": "",
        "query_string": url.query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in named.items()],
        "server": (url.hostname or "", _port(url)),
        "client": ("127.0.0.1", 1),
        "state": {},
    }


def _port(url: SplitResult) -> int:
    return url.port or (443 if url.scheme == "https" else 80)
