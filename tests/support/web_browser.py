"""A browser in front of a site in this process: cookies by host, with the rules of Secure, SameSite, Path and size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import Morsel, SimpleCookie
from urllib.parse import urlencode, urlsplit

from doorkey.wire.messages import Pairs
from tests.support.web_sites import Page, Site

LOCAL = "http://127.0.0.1:8000"
LARGEST_COOKIE = 4096
"""Bytes of a cookie's name and value that browsers keep (RFC 6265bis §5.6)."""
PAGE = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
JSON = {"Accept": "application/json"}

Jar = dict[str, dict[str, Morsel[str]]]
"""Cookies by host, without the port (RFC 6265 §8.5), and by name."""


@dataclass
class Browser:
    """One browser at one site, whose address is `origin`.

    Assign `site` to send its next requests to another process of the same site.

    more: headers of each request.
    """

    site: Site
    origin: str = LOCAL
    jar: Jar = field(default_factory=Jar)
    more: Mapping[str, str] = field(default_factory=dict[str, str])
    too_large: list[str] = field(default_factory=list[str])
    """Names of the cookies that it dropped because of their size."""

    def get(
        self,
        target: str,
        headers: Mapping[str, str] = PAGE,
        *,
        query: Mapping[str, str] | None = None,
        cross_site: bool = False,
    ) -> Page:
        """Follow a link, to a path or to a URL; `cross_site`: in a frame of another site."""
        url = target if query is None else f"{target}?{urlencode(query)}"
        return self.send("GET", url, headers, cross_site=cross_site)

    def post(
        self,
        target: str,
        form: Mapping[str, str] | Pairs = (),
        headers: Mapping[str, str] = PAGE,
        *,
        cross_site: bool = False,
    ) -> Page:
        """Send a form; `cross_site`: from a page of another site, as `response_mode=form_post` does."""
        pairs = list(form.items()) if isinstance(form, Mapping) else list(form)
        sent = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
        return self.send("POST", target, sent, urlencode(pairs).encode(), cross_site=cross_site)

    def cookies_of(self, origin: str | None = None) -> dict[str, str]:
        """The cookies for this address."""
        host = urlsplit(origin or self.origin).hostname or ""
        return {name: one.value for name, one in self.jar.get(host, {}).items()}

    def keep(self, origin: str, header: str) -> None:
        """Keep or delete the cookie of a header `Set-Cookie`."""
        kept = self.jar.setdefault(urlsplit(origin).hostname or "", {})
        for morsel in SimpleCookie(header).values():
            if morsel["max-age"] == "0" or "1970" in morsel["expires"]:
                kept.pop(morsel.key, None)
            elif len(morsel.key) + len(morsel.coded_value) > LARGEST_COOKIE:
                self.too_large.append(morsel.key)
            else:
                kept[morsel.key] = morsel

    def send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"", *, cross_site: bool = False
    ) -> Page:
        """Send any request, as a script does."""
        url = target if target.startswith("http") else self.origin + target
        cookie = self._cookie(url, cross_site=cross_site)
        page = self.site.call(method, url, {**headers, **self.more, **cookie}, body)
        for header in page.cookies:
            self.keep(url, header)
        return page

    def _cookie(self, url: str, *, cross_site: bool) -> dict[str, str]:
        parts = urlsplit(url)
        is_secure = parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1")
        sent = [
            f"{name}={one.coded_value}"
            for name, one in self.jar.get(parts.hostname or "", {}).items()
            if parts.path.startswith(one["path"] or "/")
            and (is_secure or not one["secure"])
            # a cookie without SameSite is Lax to browsers (RFC 6265bis §5.6.7.1)
            and (not cross_site or one["samesite"].lower() == "none")
        ]
        return {"Cookie": "; ".join(sent)} if sent else {}
