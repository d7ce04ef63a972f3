"""The host names of a provider, and the URLs in its responses that depend on them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from doorkey.arguments import texts
from doorkey.errors import UsageError, printable
from doorkey.wire.messages import Request
from doorkey.wire.urls import is_loopback

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_NETLOC = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?")
_NAME = re.compile(r"[A-Za-z0-9.-]+")


class Hosts:
    """The host names of a provider.

    public_origin: the origin of every issuer and page (`https://login.example`), independent of the `Host` of a
        request. If it is None, the origin is that of the request's URL.
    names: hosts that are accepted in addition to loopback and `public_origin`. If there are any, the endpoints for
        programs have the host of the request, as in Keycloak with `KC_HOSTNAME_BACKCHANNEL_DYNAMIC`. So another
        container can reach them by one name, and a browser the pages by another name.

    A request for any other host is refused. Otherwise a page in a browser could reach a provider on its user's machine
    under a host name of the page's site (DNS rebinding). Raises `UsageError` for an invalid host name.
    """

    def __init__(self, public_origin: str | None = None, names: object = ()) -> None:
        self.public_origin = public_origin
        self.names = texts(names, "host_names")
        for name in self.names:
            if not _NAME.fullmatch(name):
                shown = printable(name, 80)
                raise UsageError(f"host_names are host names or IPv4 addresses, without scheme and port, not {shown!r}")
        self._names = frozenset(name.lower() for name in self.names)

    def origin_of(self, request: Request) -> str | None:
        """Return the origin of the issuer for a request, or None if its host is not accepted."""
        parts = urlsplit(request.url)
        host = _NETLOC.fullmatch(parts.netloc)
        if host is None:
            return None
        if self._is_public(parts.netloc):
            return self.public_origin
        name = host[1].strip("[]").lower()
        if not is_loopback(name) and name not in self._names:
            return None
        return self.public_origin or f"{parts.scheme}://{parts.netloc}"

    def backchannel_origin_of(self, request: Request) -> str | None:
        """Return the origin of the endpoints for programs, for a request that `origin_of` accepts."""
        parts = urlsplit(request.url)
        if not self._names or self._is_public(parts.netloc):
            return self.origin_of(request)
        return f"{parts.scheme}://{parts.netloc}"

    def _is_public(self, netloc: str) -> bool:
        if self.public_origin is None:
            return False
        public = urlsplit(self.public_origin)
        default = _DEFAULT_PORTS[public.scheme]
        return netloc.lower().removesuffix(default) == public.netloc.removesuffix(default)
