"""The parts of a request and a response that pass between a browser and the API of an `ApiProxy` (RFC 9110 §7.6)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

from doorkey.arguments import text, texts
from doorkey.errors import UsageError
from doorkey.login.next_url import checked_next
from doorkey.login.web.messages import WebRequest
from doorkey.wire.messages import Pairs
from doorkey.wire.urls import check_endpoint

METHODS: Final = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")

_REQUEST: Final = frozenset(
    {
        *("accept", "accept-encoding", "accept-language", "content-encoding", "content-language", "content-type"),
        *("idempotency-key", "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since"),
        *("prefer", "range", "traceparent", "tracestate", "user-agent", "x-request-id"),
    }
)
_RESPONSE: Final = frozenset(
    {
        *("accept-ranges", "content-disposition", "content-encoding", "content-language", "content-range"),
        *("content-type", "deprecation", "etag", "last-modified", "link", "preference-applied", "ratelimit"),
        *("ratelimit-policy", "retry-after", "sunset", "x-request-id"),
    }
)
_NEVER: Final = frozenset(
    {
        *("authorization", "connection", "content-length", "cookie", "expect", "forwarded", "host", "keep-alive"),
        *("location", "origin", "referer", "set-cookie", "te", "trailer", "transfer-encoding", "upgrade", "via"),
        *("x-csrf", "x-csrf-token", "www-authenticate", "clear-site-data", "strict-transport-security"),
    }
)
_NEVER_BEGINS: Final = ("access-control-", "proxy-", "sec-", "x-forwarded-", "content-security-policy")
_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f\\]|//|(?:^|/)\.{1,2}(?:[/;]|$)")
_QUERY: Final = re.compile(r"[!\"$-\[\]-~]*")
_ODD: Final = re.compile(r"[?#%]")
_PATH_CHARACTERS: Final = "/:@!$&'()*+,;=-._~"


@dataclass(frozen=True, slots=True)
class ProxiedAPI:
    """An API whose paths are below `prefix` of this site.

    prefix: the path of this site, such as "/api".
    url: the URL of the API, such as https://api.example/v1. No request goes anywhere else.
    request_headers, response_headers: further names of headers, in lower case.
    """

    prefix: str
    url: str
    request_headers: frozenset[str] = frozenset()
    response_headers: frozenset[str] = frozenset()

    @classmethod
    def of(cls, prefix: str, url: str, request_headers: Iterable[str], response_headers: Iterable[str]) -> ProxiedAPI:
        """Return the value for the checked arguments of a program. Raises `UsageError`."""
        odd = prefix.endswith("/") or _ODD.search(prefix) if text(prefix, "prefix") else True
        if odd or checked_next(prefix, "") != prefix:
            raise UsageError('prefix must be a path of this site without a slash at the end, such as "/api"')
        check_endpoint(text(url, "the URL of the API"), "the URL of the API")
        if urlsplit(url).query:
            raise UsageError("the URL of the API must not have a query, because the query of each request is appended")
        given = [_names(one, what) for one, what in ((request_headers, "request"), (response_headers, "response"))]
        return cls(prefix, url.rstrip("/"), *given)

    def target(self, request: WebRequest) -> str | None:
        """Return the URL at the API for a request; None for an unsafe path or query, or a path outside the prefix."""
        start = request.root + self.prefix
        rest = request.path.removeprefix(start)
        if not request.path.startswith(start) or (rest and rest[0] != "/"):
            return None
        if _UNSAFE.search(rest) or not _QUERY.fullmatch(request.query):
            return None
        path = quote(rest, safe=_PATH_CHARACTERS, encoding="utf-8", errors="surrogatepass")
        return f"{self.url}{path}" + (f"?{request.query}" if request.query else "")

    def forwarded(self, request: WebRequest) -> dict[str, str]:
        """Return the headers for the API, without cookies and credentials of the browser."""
        found: dict[str, str] = {}
        for name, value in request.headers:
            lower = name.lower()
            if lower in _REQUEST or lower in self.request_headers:
                found[lower] = f"{found[lower]}, {value}" if lower in found else value
        found.setdefault("accept-encoding", "identity")
        return found

    def returned(self, headers: Iterable[tuple[str, str]]) -> Pairs:
        """Return the headers for the browser, without cookies, challenges and permissions for other origins."""
        names = _RESPONSE | self.response_headers
        return tuple((name, value) for name, value in headers if name.lower() in names)

    def location(self, target: str, location: str, root: str) -> str | None:
        """Return the path of this site for the `Location` of a response from `target`; None if it is not below `url`.

        root: the path below which the application is mounted, encoded.
        """
        try:
            absolute = urljoin(target, location)
        except ValueError:
            return None
        rest = absolute.removeprefix(self.url)
        if rest == absolute or (rest and rest[0] not in "/?#") or _UNSAFE.search(rest.partition("?")[0]):
            return None
        return f"{root}{self.prefix}{rest}"


def _names(given: Iterable[str], of: str) -> frozenset[str]:
    names = frozenset(name.lower() for name in texts(given, f"{of}_headers"))
    wrong = sorted(name for name in names if name in _NEVER or name.startswith(_NEVER_BEGINS))
    if wrong:
        raise UsageError(f"{wrong[0]} is never passed between the browser and the API")
    if not all(_NAME.fullmatch(name) for name in names):
        raise UsageError(f"{of}_headers are names of headers, such as ['X-Tenant']")
    return names
