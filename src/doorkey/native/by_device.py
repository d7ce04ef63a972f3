"""`login_by_device`: a login that the user finishes in a browser on any device (RFC 8628)."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from io import StringIO
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any, TextIO, cast

from doorkey.arguments import function
from doorkey.errors import AccessDenied, ExpiredDeviceCode
from doorkey.login.effects import AtSession
from doorkey.login.errors import LoginExpired, LoginRefused
from doorkey.native.blocking_awaiting import awaiting, blocking
from doorkey.native.console import is_terminal, write_stderr
from doorkey.native.effects import OpenClient
from doorkey.native.registration import registration
from doorkey.native.result import NativeLogin
from doorkey.wire.flow import Flow, maybe_await

if TYPE_CHECKING:
    from doorkey.login.flows import LoginFlows
    from doorkey.oidc.core.id_token import IDToken
    from doorkey.protocol.device import DeviceAuthorization
    from doorkey.sources.issuer import Issuer
    from doorkey.tokens import OAuth2Token
    from doorkey.wire.limits import ExchangePolicy

__all__ = ["alogin_by_device", "login_by_device"]


def _login_by_device(
    issuer: str | Issuer,
    client_id: str,
    *,
    client_secret: Any = None,
    scope: str | Iterable[str] | None = "openid",
    show: Callable[[DeviceAuthorization], Any] | None = None,
    http_client: Any = None,
    exchange: ExchangePolicy | None = None,
    clock: Callable[[], float] | None = None,
    sleep: Callable[[float], Any] | None = None,
    **parameters: Any,
) -> Flow[NativeLogin]:
    """Log a user in with a browser on any device, and return the token (RFC 8628).

    The program shows a URL and a code, and polls the provider until the user has entered the code there. It needs
    neither a browser nor a port. The ID token is verified as by `OAuth2Client.fetch_token`.

    issuer: the provider's issuer, a URL or an `Issuer`, whose metadata is discovered.
    client_id, client_secret: the client; a native app is a public client and has no secret (RFC 8252 §8.5).
    scope: the scope, as text or as scope tokens; None: "openid".
    show: ``show(device)`` shows the `DeviceAuthorization` to the user. None: on standard error, with a QR code if that
        is a terminal and segno is installed.
    http_client: the HTTP client for the requests to the provider. It stays open. None: a new client.
    exchange: the limits of each request to the provider.
    clock: returns seconds since the epoch; None: `time.time`.
    sleep: waits for a number of seconds; a coroutine function for `alogin_by_device`. None: `time.sleep`, or anyio's.
    parameters: further parameters of the device authorization request, such as `audience`.

    Raises `LoginRefused` if the user refuses, `LoginExpired` if the code expires first, `VerificationError` for an
    invalid ID token, `ServerError` and `InvalidResponse` for other responses of the provider, `TransportError` if the
    provider cannot be reached at the beginning, and `UsageError` for an invalid argument or a provider without the
    device flow.
    """
    options = registration(issuer, client_id, client_secret, scope, http_client, exchange, clock)
    client: LoginFlows = yield from OpenClient(options if sleep is None else {**options, "sleep": sleep})
    return (yield from device_login(client, show, parameters))


login_by_device = blocking(_login_by_device)
alogin_by_device = awaiting(_login_by_device)


def device_login(
    client: LoginFlows, show: Callable[[DeviceAuthorization], Any] | None, parameters: Mapping[str, Any]
) -> Flow[NativeLogin]:
    """Log a user in with `client`, and with the arguments of `login_by_device`."""
    shown = show_device if show is None else show
    function(shown, "show must be a callable (device)")
    session = client.session()
    device: DeviceAuthorization = yield from AtSession(session, session._begin_device_authorization(**parameters))
    yield from maybe_await(shown(device))
    try:
        token: OAuth2Token = yield from AtSession(session, session._finish_device_authorization(device))
    except AccessDenied as refused:
        raise LoginRefused.by(refused) from None
    except ExpiredDeviceCode:
        raise LoginExpired from None
    return NativeLogin(token, cast("IDToken | None", token.id_token_claims), "device")


def show_device(device: DeviceAuthorization) -> None:
    """Write the URL and the code to standard error, because standard output is for the result of a program."""
    url, complete = device.verification_uri, device.verification_uri_complete
    qr = qr_code(complete or url, sys.stderr) if is_terminal(sys.stderr) else ""
    if qr:  # first, so that the URL and the code stay visible at the end of a small terminal
        write_stderr(f"{qr}\nTo log in, scan this QR code, or open this URL in a browser of any device:\n  {url}\n")
        compared = ", or compare it after the scan" if complete else ""
        write_stderr(f"and enter this code there{compared}:\n  {device.user_code}\n\n")
    else:
        write_stderr(f"To log in, open this URL in a browser of any device:\n\n  {url}\n\n")
        write_stderr(f"and enter this code there:\n\n  {device.user_code}\n\n")


def qr_code(url: str, out: TextIO) -> str:
    """Return the QR code of `url` for the terminal `out`; "" if `out` cannot show it, or without segno.

    It is white on black even on a light terminal, because not every camera reads an inverted code.
    """
    if not out.isatty() or os.environ.get("TERM") == "dumb":
        return ""
    try:
        import segno
    except ImportError:
        return ""
    drawn = StringIO()
    segno.make(url, error="l", micro=False).terminal(drawn, compact=True, border=2)
    lines = drawn.getvalue().splitlines()
    try:
        "".join(lines).encode(out.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ""
    if max(map(len, lines)) > get_terminal_size().columns:
        return ""  # the lines would wrap
    color, end = ("", "") if os.environ.get("NO_COLOR") else ("\x1b[97;40m", "\x1b[0m")
    return "".join(f"{color}{line}{end}\n" for line in lines)
