"""A request to the login's routes, and the reply, as values that do not depend on the web framework."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self
from urllib.parse import quote

from doorkey.errors import UsageError, VerificationError
from doorkey.login.web.cookies import cookies_of
from doorkey.wire.messages import Pairs
from doorkey.wire.parameters import parse_form

MAX_FORM: Final = 128 * 1024
"""The maximum bytes of a posted form: the parameters of a callback, or a logout token."""

_NO_STORE = ("Cache-Control", "no-store")
_JSON = ("Content-Type", "application/json")
_IN_PATH: Final = "/!$&'()*+,;=:@"
"""The characters that need no encoding in a path (RFC 3986 §3.3)."""
_SLASHES: Final = re.compile(r"^//+")


@dataclass(frozen=True, slots=True, repr=False)
class WebRequest:
    """A request as a framework received it.

    method: the HTTP method, in upper case.
    scheme, host: the values that the framework reports. `host` includes the port if there is one.
    path: the decoded path, including `root`.
    query: the query, without the question mark.
    headers: the headers, as pairs of a name and a value. A repeated header has several pairs.
    form: the parameters of a form-encoded body.
    root: the path below which the application is mounted, without a slash at the end.
    proxy_setting: the setting with which this framework trusts the headers of a reverse proxy, for an error page.
    """

    method: str
    scheme: str
    host: str
    path: str
    query: str = ""
    headers: Pairs = ()
    form: Pairs = ()
    root: str = ""
    proxy_setting: str = ""

    def header(self, name: str) -> str | None:
        """Return the value of a header, or None."""
        lower = name.lower()
        return next((value for key, value in self.headers if key.lower() == lower), None)

    @property
    def cookies(self) -> Mapping[str, str]:
        """The cookies by name."""
        return cookies_of(self.headers)

    @property
    def parameters(self) -> Pairs:
        """The parameters of the query. Raises `VerificationError` if there are more than 1000."""
        return form_pairs(self.query)

    @property
    def origin(self) -> str:
        """The scheme and the host that the framework reports."""
        return f"{self.scheme}://{self.host}"

    @property
    def base_path(self) -> str:
        """The encoded path below which the application is mounted, for URLs.

        A part of it may come from the browser. Two slashes at the beginning, or a backslash, would mean another host.
        """
        return quote(_SLASHES.sub("/", self.root).encode("utf-8", "replace"), safe=_IN_PATH)

    @property
    def target(self) -> str:
        """The path, encoded, and the query."""
        path = quote(self.path.encode("utf-8", "replace"), safe=_IN_PATH)
        return f"{path}?{self.query}" if self.query else path

    @property
    def may_navigate(self) -> bool:
        """Whether the reply may send the browser to the provider. False if a script or an image makes the request."""
        return self.header("Sec-Fetch-Mode") in (None, "navigate")

    @property
    def wants_html(self) -> bool:
        """Whether a browser will show the reply as a page, so that the reply may redirect to a login.

        A script that fetches data cannot follow a redirect to the provider, even if it accepts HTML.
        """
        mode = self.header("Sec-Fetch-Mode")
        if mode is not None:
            return mode == "navigate"
        if (self.header("X-Requested-With") or "").lower() == "xmlhttprequest":
            return False
        return "text/html" in (self.header("Accept") or "").lower()

    def one(self, name: str) -> str | None:
        """Return a parameter of the query if it occurs exactly once, else None."""
        return only(self.parameters, name)

    def __repr__(self) -> str:  # the query and the cookies are secret
        return f"<WebRequest {self.method} {self.path}>"


@dataclass(frozen=True, slots=True)
class WebReply:
    """A reply: the status, the headers as pairs (`Set-Cookie` may be repeated), and the body.

    stream: an iterable of the parts of the body, which arrive while they are sent; None: `body` is complete.
    """

    status: int
    headers: Pairs = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    stream: Any = field(default=None, repr=False)

    def header(self, name: str) -> str | None:
        """Return the value of the first header of that name, or None."""
        lower = name.lower()
        return next((value for key, value in self.headers if key.lower() == lower), None)

    def with_headers(self, *more: tuple[str, str]) -> Self:
        """Return the reply with `more` headers at the end."""
        return replace(self, headers=(*self.headers, *more))


def form_pairs(text: str) -> Pairs:
    """Return the pairs of a form-encoded text that a browser sent. Raises `VerificationError` for more than 1000."""
    try:
        return parse_form(text)
    except UsageError:
        pass
    raise VerificationError("request", "has more than 1000 parameters")


def only(pairs: Pairs, name: str) -> str | None:
    """Return the value of `name` if it occurs exactly once, else None."""
    values = [value for key, value in pairs if key == name]
    return values[0] if len(values) == 1 else None


def redirect(url: str, *cookies: tuple[str, str]) -> WebReply:
    """Return a redirect with GET (RFC 9110 §15.4.4)."""
    return WebReply(303, (("Location", url), _NO_STORE, *cookies))


def json_reply(status: int, document: Mapping[str, Any], headers: Iterable[tuple[str, str]] = ()) -> WebReply:
    """Return a reply whose body is `document` as JSON."""
    return WebReply(status, (_JSON, _NO_STORE, *headers), json.dumps(document).encode("ascii"))


def html_reply(status: int, page: str, headers: Iterable[tuple[str, str]]) -> WebReply:
    """Return a reply whose body is `page`, with the headers of the page."""
    return WebReply(status, tuple(headers), page.encode("utf-8", "replace"))


def empty_reply(status: int, headers: Iterable[tuple[str, str]] = ()) -> WebReply:
    """Return a reply without a body, which caches must not store."""
    return WebReply(status, (_NO_STORE, *headers))
