"""`login`: a login by the method that fits this machine and the provider."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from doorkey.errors import UsageError
from doorkey.native.blocking_awaiting import awaiting, blocking
from doorkey.native.browsers import graphical_browser
from doorkey.native.by_browser import TIMEOUT, browser_login
from doorkey.native.by_device import device_login
from doorkey.native.by_pasting import pasted_login
from doorkey.native.console import is_terminal
from doorkey.native.effects import CallBlocking, OpenClient
from doorkey.native.loopback import ANY_PORT, REDIRECT_URI, Target
from doorkey.native.methods import MethodChoice, choose_method
from doorkey.native.registration import registration
from doorkey.native.result import Method, NativeLogin
from doorkey.wire.flow import Flow, maybe_await

if TYPE_CHECKING:
    from doorkey.login.flows import LoginFlows
    from doorkey.protocol.device import DeviceAuthorization
    from doorkey.protocol.metadata import ServerMetadata
    from doorkey.sources.issuer import Issuer
    from doorkey.wire.limits import ExchangePolicy

__all__ = ["alogin", "login"]

_CONTAINER_FILES: Final = ("/.dockerenv", "/run/.containerenv")


def _login(
    issuer: str | Issuer,
    client_id: str,
    *,
    method: Method | None = None,
    client_secret: Any = None,
    scope: str | Iterable[str] | None = "openid",
    redirect_uri: str = REDIRECT_URI,
    ports: Iterable[int] = ANY_PORT,
    timeout: float = TIMEOUT,
    open_browser: Callable[[str], Any] | None = None,
    show: Callable[[str], Any] | None = None,
    show_device: Callable[[DeviceAuthorization], Any] | None = None,
    show_choice: Callable[[MethodChoice], Any] | None = None,
    read: Callable[[str], Any] | None = None,
    http_client: Any = None,
    exchange: ExchangePolicy | None = None,
    clock: Callable[[], float] | None = None,
    sleep: Callable[[float], Any] | None = None,
    **parameters: Any,
) -> Flow[NativeLogin]:
    """Log a user in by the method that fits this machine and the provider, and return the token.

    It is `login_in_browser` on a machine with a browser, else `login_by_device` if the provider has the device flow,
    else `login_by_pasting`.

    issuer: the provider's issuer, a URL or an `Issuer`, whose metadata is discovered.
    client_id, client_secret: the client; a native app is a public client and has no secret (RFC 8252 §8.5).
    method: "browser", "device" or "paste"; None: `choose_method` chooses.
    scope: the scope, as text or as scope tokens; None: "openid".
    redirect_uri, ports, timeout, open_browser, show: as for `login_in_browser`; a pasted URL has the first port.
    show_device, sleep: as `show` and `sleep` for `login_by_device`.
    show_choice: ``show_choice(choice)`` gets the chosen method and the reason for it, before the login begins.
    read: as for `login_by_pasting`.
    http_client: the HTTP client for the requests to the provider. It stays open. None: a new client.
    exchange: the limits of each request to the provider.
    clock: returns seconds since the epoch; None: `time.time`.
    parameters: further parameters of the authorization request, such as `login_hint` and `audience`.

    Raises `NoLoginMethod` if no method fits, and the errors of the three functions.
    """
    if method not in (None, "browser", "device", "paste"):
        raise UsageError('method must be "browser", "device", "paste" or None')
    target = Target.of(redirect_uri, ports)
    options = registration(issuer, client_id, client_secret, scope, http_client, exchange, clock)
    client: LoginFlows = yield from OpenClient(options if sleep is None else {**options, "sleep": sleep})
    if method is None:
        metadata: ServerMetadata = yield from client._discover()
        has_browser = open_browser is not None or (yield from CallBlocking(_has_browser))
        choice = _chosen(metadata, has_browser=has_browser)
        method = choice.method
        if show_choice is not None:
            yield from maybe_await(show_choice(choice))
    if method == "device":
        return (yield from device_login(client, show_device, parameters))
    if method == "paste":
        shown_uri = target.uri if target.ports == ANY_PORT else target.at(target.ports[0])
        return (yield from pasted_login(client, shown_uri, read, show, parameters))
    return (yield from browser_login(client, target, timeout, open_browser, show, clock, parameters))


login = blocking(_login)
alogin = awaiting(_login)


def _has_browser() -> bool:
    """Return whether a browser with windows is installed. This may block, because Python may start a program."""
    return graphical_browser() is not None


def _chosen(metadata: ServerMetadata, *, has_browser: bool) -> MethodChoice:
    """Return the method for this machine. Raises `NoLoginMethod`."""
    return choose_method(
        os.environ,
        platform=sys.platform,
        has_browser=has_browser,
        has_terminal=is_terminal(sys.stdin) and is_terminal(sys.stderr),
        in_container=any(Path(one).exists() for one in _CONTAINER_FILES),
        has_authorization_endpoint=metadata.authorization_endpoint is not None,
        has_device_endpoint=metadata.device_authorization_endpoint is not None,
    )
