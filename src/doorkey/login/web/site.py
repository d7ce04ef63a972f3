"""The address of an application and the settings of its login: one immutable value, shared by all requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from doorkey.arguments import nonempty_text, seconds, text
from doorkey.errors import UsageError
from doorkey.login.next_url import checked_next
from doorkey.login.web.cookies import CookieRules
from doorkey.login.web.errors import WrongAddress
from doorkey.login.web.messages import WebRequest
from doorkey.wire.urls import Origin, check_endpoint, is_loopback, origin_of, shown_url, split_url

LOGIN: Final = "login"
CALLBACK: Final = "callback"
LOGOUT: Final = "logout"
BACKCHANNEL: Final = "backchannel-logout"
FRONTCHANNEL: Final = "frontchannel-logout"
ME: Final = "me"
SESSION: Final = "session"
SESSION_SCRIPT: Final = "session.js"

DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Site:
    """The settings of a login that are not secret.

    base_url: the URL of the application for its users; None: the URL of the request, only on loopback.
    prefix: the path of the routes below the application.
    cookie: the prefix of the names of cookies.
    lifetime: seconds that a browser stays logged in.
    after_login: the path to which the user goes after a login that requested no other path.
    after_logout: the path to which the user goes after a logout.
    name: the name of the application on pages.
    """

    base_url: str | None = None
    prefix: str = "/auth"
    cookie: str = "doorkey"
    lifetime: float = 43_200.0
    after_login: str = "/"
    after_logout: str = "/"
    name: str = ""

    def __post_init__(self) -> None:
        if self.base_url is not None:
            object.__setattr__(self, "base_url", _base_url(self.base_url))
        for field in ("prefix", "after_login", "after_logout"):
            path = text(getattr(self, field), field)
            if checked_next(path, "") != path:
                raise UsageError(
                    f"{field} must be a path of this application, such as {getattr(Site, field, '/auth')!r}"
                )
        if self.prefix == "/" or self.prefix.endswith("/"):
            raise UsageError('prefix must be the path of the routes without a slash at the end, such as "/auth"')
        if (
            not nonempty_text(self.cookie, "cookie").replace("-", "").replace("_", "").isalnum()
            or not self.cookie.isascii()
        ):
            raise UsageError("cookie must consist of ASCII letters, digits, - and _")
        seconds(self.lifetime, "lifetime", least=1.0, most=365 * DAY)
        text(self.name, "the name of the application")

    def base(self, request: WebRequest) -> str:
        """Return the base URL without a slash at the end. Raises `WrongAddress`.

        Without a configured base URL, it comes from the `Host` header, but only on this machine (CVE-2026-48710).
        """
        if self.base_url is not None:
            return self.base_url
        seen = _origin(request)
        if seen is None or not is_loopback(seen.host):
            raise WrongAddress(
                for_developers=(
                    "The address of a request is used only on this machine, because anyone can send a Host header. Set "
                    "the base URL, such as https://app.example: DOORKEY_BASE_URL, or Login(base_url=…)."
                )
            )
        return request.origin + request.base_path

    def rules(self, base: str) -> CookieRules:
        """Return the names and attributes of cookies at a base URL."""
        return CookieRules(self.cookie, base.startswith("https:"))

    def is_at_other_address(self, request: WebRequest) -> bool:
        """Return whether a request arrived at another address than the configured base URL."""
        return self.base_url is not None and _origin(request) != origin_of(self.base_url)

    def is_own_origin(self, request: WebRequest) -> bool:
        """Return whether the `Origin` of a request is this site (RFC 6454 §7). True for a request without `Origin`.

        Raises `WrongAddress`.
        """
        origin = request.header("Origin")
        if origin is None:
            return True
        base = self.base(request)
        try:
            return origin_of(origin) == origin_of(base)
        except UsageError:
            return False

    def wrong_address(self, request: WebRequest) -> WrongAddress:
        """Return the error for an application whose framework does not see the address that users see."""
        setting = request.proxy_setting or "the headers that your reverse proxy sends"
        return WrongAddress(
            for_developers=(
                f"The base URL is {shown_url(self.base_url or '')}, but the framework sees the address "
                f"{shown_url(request.origin)}. If a reverse proxy is in front of the application, let it send "
                f"X-Forwarded-Proto and X-Forwarded-Host, and let the framework trust them: {setting}. If there is "
                "no proxy, correct the base URL."
            )
        )

    def url(self, base: str, route: str, provider: str | None = None) -> str:
        """Return the URL of a route."""
        return f"{base}{self.prefix}/{route}" + (f"/{quote(provider, safe='')}" if provider is not None else "")

    def path(self, request: WebRequest, route: str, provider: str | None = None, **query: str | None) -> str:
        """Return the path and query of a route, as the browser sees it."""
        given = {name: value for name, value in query.items() if value is not None}
        base = urlsplit(self.base_url).path if self.base_url is not None else request.base_path
        return self.url(base, route, provider) + (f"?{urlencode(given)}" if given else "")

    def login_path(self, request: WebRequest) -> str:
        """Return the path that begins a login, after which the browser returns to the page of this request."""
        target = request.target if request.method in ("GET", "HEAD") else None
        return self.path(request, LOGIN, next=target)


def _base_url(given: str) -> str:
    parts = split_url(given, "base URL")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise UsageError(
            "the base URL must be https, because plain http is allowed only on this machine. If a reverse proxy "
            "terminates TLS, use the https URL at which users open the application"
        )
    url = check_endpoint(given, "base URL")
    if "?" in url:
        raise UsageError("the base URL must not have a query: use the URL of the application (https://app.example)")
    return url.rstrip("/")


def _origin(request: WebRequest) -> Origin | None:
    try:
        found = origin_of(request.origin)
    except UsageError:
        return None
    return found if urlsplit(request.origin).netloc == request.host and "@" not in request.host else None
