"""The names under which a provider is reached, and the URLs that it states in its responses."""

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
    """The names of a provider.

    public_origin: the origin of every issuer and page (`https://login.example`), whatever the `Host` of a request is.
        Without it, the origin is the name that the request was sent to.
    names: hosts, beside those of loopback and of `public_origin`, whose requests are answered. If there are any, the
        endpoints that programs use have the name that the request was sent to, as in Keycloak with
        `KC_HOSTNAME_BACKCHANNEL_DYNAMIC`: a container reaches them by its name, and a browser the pages by another one.

    A request for any other host is refused: otherwise a page in a browser could reach a provider on its user's machine
    under a name of its own (DNS rebinding). Raises `UsageError` for what is no name of a host.
    """

    def __init__(self, public_origin: str | None = None, names: object = ()) -> None:
        self.public_origin = public_origin
        self.names = texts(names, "host_names")
        for name in self.names:
            if not _NAME.fullmatch(name):
                shown = printable(name, 80)
                raise UsageError(f"host_names are names or IPv4 addresses without scheme and port, not {shown!r}")
        self._names = frozenset(name.lower() for name in self.names)

    def origin_of(self, request: Request) -> str | None:
        """Return the origin of the issuer that answers a request, or None if the host is not ours."""
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
        """Return the origin of the endpoints that programs use, for a request that is answered."""
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
