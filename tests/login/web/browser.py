"""A browser as the tests need it: cookies by host, with the rules of Secure, SameSite and Max-Age."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from doorkey.wire.messages import Pairs
from doorkey.wire.strict_json import parse_object

PAGE = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
JSON = {"Accept": "application/json"}


@dataclass(frozen=True)
class Reply:
    """What a site answered."""

    status: int
    headers: Pairs
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> dict[str, Any]:
        return parse_object(self.body)

    def header(self, name: str) -> str:
        """The value of a header, or an empty text."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    @property
    def location(self) -> str:
        return self.header("Location")

    @property
    def cookies(self) -> list[str]:
        """The values of `Set-Cookie`."""
        return [value for key, value in self.headers if key.lower() == "set-cookie"]


class Site(Protocol):
    """An application, called without a socket."""

    def call(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply: ...


@dataclass
class Cookie:
    value: str
    same_site: str
    secure: bool


@dataclass
class Browser:
    """One browser at one site, whose address is `origin`."""

    site: Site
    origin: str = "http://127.0.0.1:8000"
    jar: dict[str, dict[str, Cookie]] = field(default_factory=dict[str, dict[str, Cookie]])
    more: Mapping[str, str] = field(default_factory=dict[str, str])

    def get(self, target: str, headers: Mapping[str, str] = PAGE, *, cross_site: bool = False) -> Reply:
        """Follow a link, to a path or to a URL."""
        return self._send("GET", target, headers, b"", framed=cross_site)

    def post(
        self,
        target: str,
        form: Mapping[str, str] | Pairs = (),
        headers: Mapping[str, str] = PAGE,
        *,
        cross_site: bool = False,
    ) -> Reply:
        """Send a form; `cross_site`: from a page of another site."""
        pairs = list(form.items()) if isinstance(form, Mapping) else list(form)
        sent = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
        return self._send("POST", target, sent, urlencode(pairs).encode(), framed=cross_site)

    def cookies_of(self, origin: str | None = None) -> dict[str, str]:
        """The cookies for this address."""
        host = urlsplit(origin or self.origin).hostname or ""
        return {name: one.value for name, one in self.jar.get(host, {}).items()}

    def log_in(self, provider: Any, username: str = "alice", path: str = "/auth/login") -> Reply:
        """Log in at an embedded provider, and return the reply to the callback."""
        begun = self.get(path)
        assert begun.status == 303, begun.text
        return self.get(provider.log_in(begun.location, username))

    def _send(self, method: str, target: str, headers: Mapping[str, str], body: bytes, *, framed: bool) -> Reply:
        url = target if target.startswith("http") else self.origin + target
        parts = urlsplit(url)
        kept = self.jar.setdefault(parts.hostname or "", {})
        safe = parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1")
        sent = [
            f"{name}={one.value}"
            for name, one in kept.items()
            if (safe or not one.secure) and (not framed or one.same_site == "none")
        ]
        cookie = {"Cookie": "; ".join(sent)} if sent else {}
        reply = self.site.call(method, url, {**headers, **self.more, **cookie}, body)
        for value in reply.cookies:
            self._keep(kept, value, parts.scheme)
        return reply

    def _keep(self, kept: dict[str, Cookie], header: str, scheme: str) -> None:
        pair, *rest = (part.strip() for part in header.split(";"))
        name, _, value = pair.partition("=")
        attributes = {part.lower().partition("=")[0]: part.lower().partition("=")[2] for part in rest}
        if attributes.get("max-age") == "0":
            kept.pop(name, None)
            return
        secure, same_site = "secure" in attributes, attributes["samesite"]
        assert "httponly" in attributes
        assert "domain" not in attributes
        assert len(header) <= 4096, "browsers drop a larger cookie"
        assert same_site in ("lax", "none")
        assert same_site != "none" or secure, "browsers reject it"
        if name.startswith("__Host-"):
            assert secure
            assert attributes["path"] == "/"
            assert scheme == "https", "browsers reject it"
        kept[name] = Cookie(value, same_site, secure)
