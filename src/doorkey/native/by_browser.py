"""`login_in_browser`: a login in the user's browser, which returns to a port of this machine (RFC 8252)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from doorkey.arguments import clock as check_clock
from doorkey.arguments import function, seconds
from doorkey.errors import OAuthError, UsageError
from doorkey.native.blocking_awaiting import awaiting, blocking
from doorkey.native.browsers import open_in_background, open_quietly, show_url
from doorkey.native.callback_server import CallbackServer
from doorkey.native.callbacks import Expected
from doorkey.native.effects import OpenClient
from doorkey.native.loopback import ANY_PORT, REDIRECT_URI, Target, close_all
from doorkey.native.pages import failure_response, success_response
from doorkey.native.registration import registration
from doorkey.native.result import NativeLogin, native_login
from doorkey.runtime.clock import wall_time
from doorkey.wire.flow import Flow, maybe_await

if TYPE_CHECKING:
    from doorkey.login.flows import LoginFlows
    from doorkey.login.pending import PendingLogin
    from doorkey.sources.issuer import Issuer
    from doorkey.wire.limits import ExchangePolicy

__all__ = ["alogin_in_browser", "login_in_browser"]

TIMEOUT: Final = 300.0
MAX_TIMEOUT: Final = 600.0
"""The maximum timeout in seconds, after which a pending login expires."""


def _login_in_browser(
    issuer: str | Issuer,
    client_id: str,
    *,
    client_secret: Any = None,
    scope: str | Iterable[str] | None = "openid",
    redirect_uri: str = REDIRECT_URI,
    ports: Iterable[int] = ANY_PORT,
    timeout: float = TIMEOUT,
    open_browser: Callable[[str], Any] | None = None,
    show: Callable[[str], Any] | None = None,
    http_client: Any = None,
    exchange: ExchangePolicy | None = None,
    clock: Callable[[], float] | None = None,
    **parameters: Any,
) -> Flow[NativeLogin]:
    """Log a user in with the browser of this machine, and return the token (RFC 8252 §4.1, §7.3).

    The program listens at 127.0.0.1 and [::1], shows the URL of the login, opens it in the browser, and receives one
    response. PKCE, `state`, `nonce` and `iss` are checked as by `doorkey.login.LoginClient`.

    issuer: the provider's issuer, a URL or an `Issuer`, whose metadata is discovered.
    client_id, client_secret: the client; a native app is a public client and has no secret (RFC 8252 §8.5).
    scope: the scope, as text or as scope tokens; None: "openid".
    redirect_uri: the registered loopback URI. If it has no port, the provider must allow any port (RFC 8252 §7.3).
    ports: the ports that are tried in turn, if the provider allows only certain ports; 0 means any free port.
    timeout: seconds until `CallbackTimeout`, at most 600.
    open_browser: ``open_browser(url)`` opens the browser, in its own thread. None: the user's browser.
    show: ``show(url)`` shows the URL to the user, before the browser opens. None: on standard error.
    http_client: the HTTP client for the requests to the provider. It stays open. None: a new client.
    exchange: the limits of each request to the provider.
    clock: returns seconds since the epoch; None: `time.time`.
    parameters: further parameters of the authorization request, such as `prompt` and `login_hint`.

    Raises `LoginError` for each cause that the user can repair, `VerificationError` for an invalid authorization
    response or ID token, `ServerError` and `InvalidResponse` for other responses of the provider, `TransportError` if
    the provider cannot be reached, and `UsageError` for an invalid argument.
    """
    target = Target.of(redirect_uri, ports)
    options = registration(issuer, client_id, client_secret, scope, http_client, exchange, clock)
    client: LoginFlows = yield from OpenClient(options)
    return (yield from browser_login(client, target, timeout, open_browser, show, clock, parameters))


login_in_browser = blocking(_login_in_browser)
alogin_in_browser = awaiting(_login_in_browser)


def browser_login(
    client: LoginFlows,
    target: Target,
    timeout: float,
    open_browser: Callable[[str], Any] | None,
    show: Callable[[str], Any] | None,
    clock: Callable[[], float] | None,
    parameters: Mapping[str, Any],
) -> Flow[NativeLogin]:
    """Log a user in with `client`, and with the arguments of `login_in_browser`."""
    opened, shown = open_browser or open_quietly, show or show_url
    function(opened, "open_browser must be a callable (url)")
    function(shown, "show must be a callable (url)")
    check_clock(clock or wall_time)
    seconds(timeout, "timeout", most=MAX_TIMEOUT)
    redirect_uri, listeners = target.listen()
    try:
        url, pending = yield from client._begin(redirect_uri, **parameters)
        expected = Expected(redirect_uri, pending.state, posts_form=_posts_form(pending))
        with closing(CallbackServer(listeners, expected, clock or wall_time, timeout)) as server:
            yield from maybe_await(shown(url))
            open_in_background(url, opened)
            connection, params = yield from server.received()
            try:
                result = yield from client._finish(params, pending)
            except OAuthError as error:
                yield from server.reply(connection, failure_response(error))
                raise
            yield from server.reply(connection, success_response())
    finally:
        close_all(listeners)
    return native_login(result, "browser")


def _posts_form(pending: PendingLogin) -> bool:
    """Return whether the response is a posted form. Raises `UsageError` for a mode that a server cannot receive."""
    mode = pending.transaction.response_mode
    if mode not in ("query", "form_post"):
        raise UsageError(
            "the browser does not send the fragment of a URL to this program: use response_type='code', or "
            "response_mode='form_post'"
        )
    return mode == "form_post"
