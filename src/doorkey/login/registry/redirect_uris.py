"""Detect redirect URIs that cannot work: at another name of this machine, or with http behind an https proxy."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from urllib.parse import urlsplit

from doorkey.login.errors import OtherHost
from doorkey.runtime.callers import program_stacklevel
from doorkey.wire.urls import is_loopback


def check_redirect_uri(redirect_uri: str | None, header: Callable[[str], str], proxy_setting: str) -> None:
    """Compare the redirect URI of a new login with the request that begins the login.

    A browser does not send the cookie of `localhost` to `127.0.0.1`, so such a login cannot end. If the ports differ,
    the redirect URI may belong to a development proxy that replaces the `Host` header, and the login can end.

    An http redirect URI causes a warning if a proxy received the request by https, because the application does not
    trust the headers of the proxy.

    redirect_uri: the redirect URI; None: the redirect URI of the registration, which is not checked.
    header: returns a header of the request by its name, or "" if it is missing.
    proxy_setting: the setting with which this framework trusts these headers, for the warning.

    Raises `OtherHost` if the two hosts are different names of this machine with the same port.
    """
    to, port = _place_of(redirect_uri or "")
    came_to, its_port = _place_of(f"//{header('host')}")
    if to != came_to and port == its_port and is_loopback(to) and is_loopback(came_to):
        raise OtherHost(came_to, to)
    is_http = (redirect_uri or "").lower().startswith("http:")
    if is_http and not is_loopback(to) and header("x-forwarded-proto").partition(",")[0].strip().lower() == "https":
        warnings.warn(
            "the redirect URI begins with http, and a proxy has received this request by https: the provider will not "
            f"accept it, because the https URI is registered; let the application trust the proxy, by {proxy_setting}",
            RuntimeWarning,
            stacklevel=program_stacklevel(),
        )


def _place_of(url: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(url)
        return parts.hostname or "", parts.port
    except ValueError:
        return "", None
