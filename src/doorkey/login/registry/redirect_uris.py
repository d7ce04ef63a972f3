"""Redirect URIs that do not lead back to the browser's login: another name of this machine, http behind a proxy."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from urllib.parse import urlsplit

from doorkey.login.errors import OtherHost
from doorkey.runtime.callers import depth_of_ours
from doorkey.wire.urls import is_loopback


def leads_back(redirect_uri: str | None, header: Callable[[str], str], proxy_setting: str) -> None:
    """Check the redirect URI of a login that begins against the request that begins it.

    A browser sends the cookie of `localhost` not to `127.0.0.1`, so such a login cannot end. At another port, the
    redirect URI may be that of a development proxy, which has replaced the `Host` header, and the login can end.

    An http URI in a request that a proxy has received by https causes a warning: the application does not trust the
    headers of the proxy.

    redirect_uri: None for that of the registration.
    header: returns a header of the request by its name, "" for one that is not there.
    proxy_setting: how this framework is told to trust the headers.

    Raises `OtherHost` for another name of this machine at the same port.
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
            stacklevel=depth_of_ours(),
        )


def _place_of(url: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(url)
        return parts.hostname or "", parts.port
    except ValueError:
        return "", None
