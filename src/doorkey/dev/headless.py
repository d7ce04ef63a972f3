"""A headless browser that logs a user in: it follows redirects, keeps cookies and fills in forms.

It sends each request through a function, so that it works with and without a socket.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

from doorkey.errors import UsageError, printable
from doorkey.wire.messages import FORM, Pairs, Request, Response
from doorkey.wire.urls import split_url

MAX_STEPS = 20
_ACCEPT, _CANCEL = "accept", "cancel"
"""The names of the buttons of a page that asks for consent."""


@dataclass(frozen=True, slots=True)
class LogoutPage:
    """The result of a logout.

    redirect: the URL of the client to which the page leads, or None.
    frames: the URLs that the page loads in frames (Front-Channel Logout §3).
    """

    redirect: str | None
    frames: tuple[str, ...]


class HeadlessBrowser:
    """One browser with its cookies, for the pages of one provider.

    send: a function that sends a request and returns the response.
    is_ours: a function that returns whether a URL is a page of the provider. A redirect to any other URL is a result.
    """

    def __init__(self, send: Callable[[Request], Response], is_ours: Callable[[str], bool]) -> None:
        self._send = send
        self._is_ours = is_ours
        self._cookies: dict[tuple[str, str], str] = {}

    def log_in(self, url: str, username: str, password: str) -> str:
        """Log a user in, and return the callback URL to which the provider redirects.

        url: the URL of an authorization request.
        username, password: the user's name and password.

        The browser consents if a page asks for it. A form of the response mode `form_post` becomes the query of the
        callback URL. Raises `UsageError` for a wrong password, and for any other page of the provider.
        """
        split_url(url, "authorization URL")
        if not self._is_ours(url):
            raise UsageError("the authorization URL is not a URL of this provider")
        request, tried = Request("GET", url), False
        for _ in range(MAX_STEPS):
            response = self._visit(request)
            target = response.header("location")
            if response.status in (302, 303) and target is not None:
                target = urljoin(request.url, target)
                if not self._is_ours(target):
                    return target
                request = Request("GET", target)
                continue
            page = _Page(request.url, response.body.decode("utf-8", "replace"))
            if page.action is not None and not self._is_ours(page.action):
                return _with_query(page.action, page.fields)
            if page.action is not None and _ACCEPT in page.buttons:
                page.fields[_ACCEPT] = page.buttons[_ACCEPT]
            elif page.action is not None and "password" in page.fields and not tried:
                page.fields |= {"username": username, "password": password}
                tried = True
            else:
                raise UsageError(_dead_end(response, page))
            request = _filled_in(page.action, page.fields)
        raise UsageError(f"the login did not end after {MAX_STEPS} redirects and pages")

    def answer_device(self, url: str, username: str, password: str, *, approve: bool = True) -> None:
        """Log a user in on the page of a device, and allow or deny the login of the device (RFC 8628 §3.3).

        url: the `verification_uri_complete` of the device, which contains its code.
        username, password: the user's name and password.
        approve: whether the device may log in.

        Raises `UsageError` for a wrong or expired code, a wrong password, and any other page of the provider.
        """
        response, page = self._page(Request("GET", split_url(url, "URL of the device page").geturl()))
        tried: set[str] = set()
        while page.action is not None:
            step = next(
                (name for name in (_ACCEPT, "password", "user_code") if name in (*page.buttons, *page.fields)), ""
            )
            if not self._is_ours(page.action) or not step or step in tried:
                raise UsageError(_dead_end(response, page))
            tried.add(step)
            if step == _ACCEPT:
                button = _ACCEPT if approve else _CANCEL
                page.fields[button] = page.buttons[button]
            elif step == "password":
                page.fields |= {"username": username, "password": password}
            response, page = self._page(_filled_in(page.action, page.fields))
        if response.status != 200 or _ACCEPT not in tried:
            raise UsageError(_dead_end(response, page))

    def _page(self, request: Request) -> tuple[Response, _Page]:
        response = self._visit(request)
        return response, _Page(request.url, response.body.decode("utf-8", "replace"))

    def log_out(self, url: str) -> LogoutPage:
        """Visit a logout page, confirm the logout if the page asks for it, and return the result.

        url: the URL of the logout page.

        The frames are not loaded. Raises `UsageError` for a URL of another server, and for an error page.
        """
        response = self.open(url)
        page = _Page(url, response.body.decode("utf-8", "replace"))
        if response.status == 200 and page.action is not None:
            headers = (("Content-Type", FORM),)
            response = self._visit(Request("POST", page.action, headers, tuple(page.fields.items())))
            page = _Page(url, response.body.decode("utf-8", "replace"))
        if response.status >= 400:
            raise UsageError(_dead_end(response, page))
        return LogoutPage(response.header("location") or page.goes_on_to, tuple(page.frames))

    def open(self, url: str) -> Response:
        """Return the response of the provider at a URL. Redirects are not followed.

        url: the URL of a page of the provider.

        Raises `UsageError` for any other URL.
        """
        split_url(url, "URL")
        if not self._is_ours(url):
            raise UsageError("the URL is not a URL of this provider")
        return self._visit(Request("GET", url))

    def _visit(self, request: Request) -> Response:
        path = urlsplit(request.url).path
        cookies = [f"{name}={value}" for (name, below), value in self._cookies.items() if path.startswith(below)]
        headers: Pairs = (*request.headers, *((("Cookie", "; ".join(cookies)),) if cookies else ()))
        response = self._send(replace(request, headers=headers))
        for name, value in response.headers:
            if name.lower() == "set-cookie":
                pair, *attributes = (part.strip() for part in value.split(";"))
                paths = [part.partition("=")[2] for part in attributes if part.lower().startswith("path=")]
                cookie, _, content = pair.partition("=")
                self._cookies[cookie, paths[0] if paths else "/"] = content
        return response


class _Page(HTMLParser):
    """The first form of a page, and its visible text."""

    def __init__(self, url: str, text: str) -> None:
        super().__init__()
        self.url = url
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self.buttons: dict[str, str] = {}
        self.text: list[str] = []
        self.frames: list[str] = []
        self.goes_on_to: str | None = None
        self._hidden = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record a form, its fields, and whether the content of a tag is invisible."""
        found = {name: value or "" for name, value in attrs}
        if tag == "form" and self.action is None:
            self.action = urljoin(self.url, found.get("action", ""))
        elif tag == "input" and "name" in found:
            self.fields.setdefault(found["name"], found.get("value", ""))
        elif tag == "button" and "name" in found:
            self.buttons[found["name"]] = found.get("value", "")
        elif tag == "iframe":
            self.frames.append(found.get("src", ""))
        elif found.get("id") == "continue":
            self.goes_on_to = found.get("href")
        self._hidden = tag in ("style", "script", "title")

    def handle_endtag(self, tag: str) -> None:
        """Record the end of invisible content."""
        self._hidden = False

    def handle_data(self, data: str) -> None:
        """Keep visible text."""
        if not self._hidden and data.strip():
            self.text.append(data.strip())


def _filled_in(action: str, fields: dict[str, str]) -> Request:
    """Return the request that posts a form, with the origin of the page."""
    headers = (("Content-Type", FORM), ("Origin", "{0.scheme}://{0.netloc}".format(urlsplit(action))))
    return Request("POST", action, headers, tuple(fields.items()))


def _with_query(url: str, fields: dict[str, str]) -> str:
    parts = urlsplit(url)
    return parts._replace(query="&".join(part for part in (parts.query, urlencode(fields)) if part)).geturl()


def _dead_end(response: Response, page: _Page) -> str:
    shown = printable(" ".join(page.text), 300)
    return f"the login was not completed; the provider responded {response.status}: {shown}"
