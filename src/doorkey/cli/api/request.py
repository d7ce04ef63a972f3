"""The request that `doorkey curl` sends, and the URLs to which its token may be sent."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import urljoin, urlsplit

from doorkey.cli.errors import CommandError, ExitStatus
from doorkey.cli.terminal import note
from doorkey.errors import UsageError, printable
from doorkey.wire.urls import is_loopback, origin_of, split_url

__all__: list[str] = []

_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"
_KEEP_METHOD: Final = (307, 308)
_REDIRECTS: Final = (301, 302, 303, *_KEEP_METHOD)


@dataclass(frozen=True, slots=True)
class APIRequest:
    """A request without its token: method, URL, further headers and the body. It can be sent more than once."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = field(default=None, repr=False)

    def redirected(self, status: int, location: str) -> APIRequest:
        """Return the request that follows a redirect of this one, as browsers and curl follow it (RFC 9110 §15.4).

        Raises `CommandError` for another origin, because the token must not be sent there.
        """
        url = checked_url(urljoin(self.url, location))
        if origin_of(url) != origin_of(self.url):
            raise CommandError(
                f"the API redirects to {origin_of(url)}. The token is not sent to another origin: if that is the API, "
                "give its URL",
                ExitStatus.REJECTED,
            )
        if status in _KEEP_METHOD or self.method in ("GET", "HEAD"):
            return replace(self, url=url)
        kept = tuple((name, value) for name, value in self.headers if name.lower() != "content-type")
        return APIRequest("GET", url, kept)


def is_redirect(status: int) -> bool:
    """Return whether `status` is a redirect, with another URL in `Location`."""
    return status in _REDIRECTS


def checked_url(url: str) -> str:
    """Return `url` without its fragment. Raises `CommandError` if no token may be sent there, or the URL is invalid.

    Plain http is allowed for loopback hosts only, because every machine on the path could read the token
    (RFC 6750 §5.3).
    """
    try:
        parts = split_url(url, "URL")
    except UsageError as error:
        raise CommandError(error.description, ExitStatus.USAGE) from None
    if "@" in parts.netloc or "\\" in url or " " in url or not url.isprintable():
        raise CommandError("the URL has a user name, a blank, a backslash or a control character", ExitStatus.USAGE)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise CommandError(
            f"the token is not sent to {printable(parts.netloc, 80)} without TLS: use https; plain http is for this "
            "machine only",
            ExitStatus.USAGE,
        )
    return parts._replace(fragment="").geturl()


def request_of(
    url: str, method: str | None, headers: Iterable[str], data: Iterable[str], json_data: str | None
) -> APIRequest:
    """Return the request for the options of the command line, which have the meaning of curl's options.

    url: the URL of the API.
    method: the HTTP method; None: POST if there is a body, otherwise GET.
    headers: headers of the form `Name: value`.
    data: parts of a form body, which are joined by `&`. `@file` is the content of a file, `@-` the content of stdin.
    json_data: a JSON body, also as `@file` or `@-`; None: no JSON body.

    Raises `CommandError` for an invalid URL, method or header, and for an unreadable file.
    """
    given = [_header(line) for line in headers]
    parts = [_content(part) for part in data]
    body = _content(json_data) if json_data is not None else b"&".join(parts) if parts else None
    names = {name.lower() for name, _ in given}
    media_type = _JSON if json_data is not None else _FORM
    if body is not None and "content-type" not in names:
        given.append(("Content-Type", media_type))
    if json_data is not None and "accept" not in names:
        given.append(("Accept", _JSON))
    chosen = method or ("POST" if body is not None else "GET")
    if not (chosen.isascii() and chosen.isalpha()):
        raise CommandError("a method consists of letters: GET, POST, …", ExitStatus.USAGE)
    return APIRequest(chosen, checked_url(url), tuple(given), body)


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    token = name.replace("-", "").replace("_", "")
    if not colon or not token.isalnum() or not line.isascii() or not line.isprintable():
        raise CommandError("a header has the form 'Name: value', in printable ASCII characters", ExitStatus.USAGE)
    if name.lower() in ("authorization", "host", "content-length", "transfer-encoding", "connection"):
        raise CommandError(f"the header {name} is set by doorkey: omit it", ExitStatus.USAGE)
    return name, value.strip()


def _content(text: str) -> bytes:
    if not text.startswith("@"):
        return text.encode("utf-8", "surrogateescape")
    if text == "@-":
        if sys.stdin.isatty():
            note("Type the body, then press Enter and Ctrl-D:")
        return sys.stdin.buffer.read()
    try:
        return Path(text[1:]).read_bytes()
    except OSError as error:
        raise CommandError(f"{text[1:]} cannot be read: {error.strerror}", ExitStatus.USAGE) from None


def authority_of(url: str) -> tuple[str, int]:
    """Return the host and the port of a URL that `checked_url` returned."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
