"""Web applications in this process, and browsers in front of them: no socket, and cookies as browsers treat them.

    site = Site(on_wsgi(app))
    page = Browser(site).get("/login")

A `Browser` keeps cookies by host, drops the ones over 4096 bytes, and sends `SameSite` cookies only where browsers do.
"""

from __future__ import annotations

import io
import json as json_module
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from http.cookies import Morsel, SimpleCookie
from typing import Any, TypeAlias
from urllib.parse import urlencode, urlsplit

import anyio

HOST = "rp.example"
LARGEST_COOKIE = 4096
"""Bytes of a cookie's name and value that browsers keep (RFC 6265bis §5.6)."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request of a browser."""

    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    scheme: str = "https"

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")


@dataclass(frozen=True, slots=True)
class Page:
    """A response of a site."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def location(self) -> str:
        """Return where a redirect leads; a page that is none is an error with what it says."""
        found = self.header("location")
        assert found is not None, f"{self.status}: {self.text[:2000]}"
        return found

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        return json_module.loads(self.body)

    @property
    def cookies(self) -> list[Morsel[str]]:
        found: list[Morsel[str]] = []
        for name, value in self.headers:
            if name.lower() == "set-cookie":
                found += SimpleCookie(value).values()
        return found


Call: TypeAlias = Callable[[Sent], Page]
Around: TypeAlias = Callable[[], AbstractContextManager[object]]


def on_wsgi(app: Any, *, around: Around = nullcontext, environment: Mapping[str, Any] | None = None) -> Call:
    """Return the call of a WSGI application; each request runs inside of `around()`."""

    def call(sent: Sent) -> Page:
        host, _, port = sent.header("host").partition(":")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": sent.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": sent.path,
            "QUERY_STRING": sent.query,
            "SERVER_NAME": host,
            "SERVER_PORT": port or ("443" if sent.scheme == "https" else "80"),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_LENGTH": str(len(sent.body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": sent.scheme,
            "wsgi.input": io.BytesIO(sent.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **(environment or {}),
        }
        for name, value in sent.headers:
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        began: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> None:
            began.append((status, headers))

        with around():
            parts = app(environ, start_response)
            try:
                body = b"".join(parts)
            finally:
                getattr(parts, "close", bool)()
        status, headers = began[-1]
        return Page(int(status.split()[0]), tuple(headers), body)

    return call


def on_asgi(app: Callable[..., Awaitable[None]], run: Callable[..., Any]) -> Call:
    """Return the call of an ASGI application; `run(function, *arguments)` awaits in its event loop."""

    async def answer(sent: Sent) -> Page:
        host, _, port = sent.header("host").partition(":")
        scope: MutableMapping[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": sent.method,
            "scheme": sent.scheme,
            "path": sent.path,
            "raw_path": sent.path.encode(),
            "root_path": "",
            "query_string": sent.query.encode(),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent.headers],
            "server": (host, int(port or 443)),
            "client": ("127.0.0.1", 1),
        }
        said: list[Any] = []

        body = [{"type": "http.request", "body": sent.body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            if not body:
                await anyio.sleep_forever()  # the browser waits for the response
            return body.pop()

        async def send(message: Any) -> None:
            said.append(message)

        await app(scope, receive, send)
        start, *bodies = said
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"])
        return Page(start["status"], headers, b"".join(part.get("body", b"") for part in bodies))

    return lambda sent: run(answer, sent)


@dataclass
class Site:
    """A web application: what a `Browser` is in front of."""

    call: Call


@dataclass
class Browser:
    """One browser with its cookies. Assign `site` to send its next requests to another process of the same site."""

    site: Site
    host: str = HOST
    scheme: str = "https"
    cookies: dict[tuple[str, str], Morsel[str]] = field(default_factory=dict[tuple[str, str], Morsel[str]])
    """By host name and cookie name."""
    too_large: list[str] = field(default_factory=list[str])
    """Names of the cookies that it dropped because of their size."""

    def get(self, target: str, query: Mapping[str, str] | None = None, **headers: str) -> Page:
        """Open a page: a link, a redirect, an address that the user types."""
        return self._send("GET", target, query, headers=headers)

    def post(self, target: str, form: Mapping[str, str], *, cross_site: bool = False, **headers: str) -> Page:
        """Send a form; one on another site's page if `cross_site`, as `response_mode=form_post` does."""
        headers = {"content-type": "application/x-www-form-urlencoded", **headers}
        return self._send("POST", target, None, urlencode(form).encode(), cross_site=cross_site, headers=headers)

    def _send(
        self,
        method: str,
        target: str,
        query: Mapping[str, str] | None,
        body: bytes = b"",
        *,
        cross_site: bool = False,
        headers: Mapping[str, str],
    ) -> Page:
        url = urlsplit(target)
        sent = [("host", self.host), *((name.replace("_", "-"), value) for name, value in headers.items())]
        if cookie := self._cookie_header(url.path, cross_site=cross_site):
            sent.append(("cookie", cookie))
        text = urlencode(query) if query is not None else url.query
        page = self.site.call(Sent(method, url.path, text, tuple(sent), body, self.scheme))
        for morsel in page.cookies:
            self._keep(morsel)
        return page

    def _cookie_header(self, path: str, *, cross_site: bool) -> str:
        return "; ".join(
            f"{morsel.key}={morsel.coded_value}"
            for (host, _), morsel in self.cookies.items()
            if host == self._name
            and path.startswith(morsel["path"] or "/")
            and (self.scheme == "https" or not morsel["secure"])
            # a cookie without SameSite is Lax to browsers (RFC 6265bis §5.6.7.1)
            and (not cross_site or morsel["samesite"].lower() == "none")
        )

    @property
    def _name(self) -> str:
        """The host without the port, by which cookies are kept (RFC 6265 §8.5)."""
        return self.host.partition(":")[0]

    def _keep(self, morsel: Morsel[str]) -> None:
        key = (self._name, morsel.key)
        if morsel["max-age"] == "0" or "1970" in morsel["expires"] or morsel["max-age"] == 0:
            self.cookies.pop(key, None)
        elif len(morsel.key) + len(morsel.coded_value) > LARGEST_COOKIE:
            self.too_large.append(morsel.key)
        else:
            self.cookies[key] = morsel
