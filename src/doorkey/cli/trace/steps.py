"""The steps of a trace: a login by one of three flows, then UserInfo, renewal and revocation. No token is saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

from doorkey.cli.times import absolute, in_words
from doorkey.cli.trace.log import Log
from doorkey.cli.trace.masking import claims_shown, of_url, parameters
from doorkey.cli.trace.recording import recording_client
from doorkey.login.client import LoginClient
from doorkey.native.blocking_awaiting import blocking
from doorkey.native.by_browser import browser_login
from doorkey.native.loopback import REDIRECT_URI, Target
from doorkey.wire.flow import Flow

if TYPE_CHECKING:
    from doorkey.login.pending import PendingLogin
    from doorkey.login.result import LoginResult
    from doorkey.native.result import NativeLogin
    from doorkey.oidc.core.id_token import IDToken
    from doorkey.protocol.device import DeviceAuthorization
    from doorkey.tokens import OAuth2Token
    from doorkey.values import Secret

BROWSER: Final = "browser"
DEVICE: Final = "device"
CLIENT_CREDENTIALS: Final = "client_credentials"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of a trace.

    issuer, client_id, client_secret, scope: the provider, the client and the requested scope.
    flow: `browser`, `device` or `client_credentials`.
    ports: the loopback ports of the browser flow; 0 is any free port.
    timeout: seconds for the login in the browser.
    show, open_browser: functions that show and open the URL of the login; None: the defaults of `login_in_browser`.
    show_device: a function that shows the code of the device flow; None: `native.by_device.show_device`.
    session: further arguments of the `LoginClient`.
    """

    issuer: str
    client_id: str
    client_secret: Secret | None = None
    scope: str | None = None
    flow: str = BROWSER
    ports: tuple[int, ...] = (0,)
    timeout: float = 300.0
    show: Callable[[str], Any] | None = None
    open_browser: Callable[[str], Any] | None = None
    show_device: Callable[[DeviceAuthorization], Any] | None = None
    session: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)


def traced(options: Options, log: Log) -> None:
    """Run the flow of `options`, and add each step to `log`. Raises the error of the first step that fails."""
    http_client = recording_client(log.exchange)
    try:
        with LoginClient(
            options.client_id,
            options.client_secret,
            issuer=options.issuer,
            scope=options.scope,
            fetch_userinfo=False,
            http_client=http_client,
            **options.session,
        ) as client:
            log.metadata = client.discover()
            token, claims = _FLOWS[options.flow](client, options, log)
            if options.flow != CLIENT_CREDENTIALS:
                _id_token(claims, log)
            _afterwards(client, token, claims, log)
    finally:
        http_client.close()


def _browser_flow(client: Any, options: Options) -> Flow[NativeLogin]:
    target = Target.of(REDIRECT_URI, options.ports)
    return (yield from browser_login(client, target, options.timeout, options.open_browser, options.show, None, {}))


def _in_browser(client: LoginClient, options: Options, log: Log) -> tuple[OAuth2Token, IDToken | None]:
    result = blocking(_browser_flow)(_Watched(client, log), options)
    return result.token, result.claims


def _by_device(client: LoginClient, options: Options, log: Log) -> tuple[OAuth2Token, Any]:
    from doorkey.native.by_device import show_device

    with client.session() as session:
        device = session.begin_device_authorization()
        (options.show_device or show_device)(device)
        token = session.finish_device_authorization(device)
    log.add_step("the user has approved the request on another device", "RFC 8628 §3.3")
    return token, token.id_token_claims


def _for_itself(client: LoginClient, options: Options, log: Log) -> tuple[OAuth2Token, None]:
    with client.session() as session:
        return session.fetch_token(grant_type="client_credentials", scope=options.scope or ""), None


_FLOWS: Final[Mapping[str, Callable[[LoginClient, Options, Log], tuple[OAuth2Token, Any]]]] = {
    BROWSER: _in_browser,
    DEVICE: _by_device,
    CLIENT_CREDENTIALS: _for_itself,
}


class _Watched:
    """A login client whose flows also add the authorization request and its response to the log."""

    def __init__(self, client: LoginClient, log: Log) -> None:
        self._client, self._log = client, log

    def _begin(self, redirect_uri: str, **given: Any) -> Flow[tuple[str, PendingLogin]]:
        url, pending = yield from self._client._begin(redirect_uri, **given)
        place, query = of_url(url)
        self._log.add_step(
            "the authorization request, which the browser opens",
            "RFC 6749 §4.1.1, RFC 7636 §4.3",
            (("URL", place), *query),
            "PKCE (code_challenge), state and nonce bind the response to this login",
        )
        return url, pending

    def _finish(self, params: Any, pending: PendingLogin) -> Flow[LoginResult]:
        pairs = parse_qsl(urlsplit(params).query) if isinstance(params, str) else [*dict(params).items()]
        self._log.add_step(
            "the authorization response, which the browser brought to this machine",
            "RFC 6749 §4.1.2, RFC 8252 §7.3",
            parameters((str(name), str(value)) for name, value in pairs),
            "its state and, if it is there, its iss are compared before anything else (RFC 9207 §2.4)",
        )
        return (yield from self._client._finish(params, pending))


def _id_token(claims: Mapping[str, Any] | None, log: Log) -> None:
    if claims is None:
        log.add_step("there is no ID token: openid was not requested", "OpenID Connect Core §3.1.2.1")
        return
    expires: object = claims.get("exp")
    note = "the signature, iss, aud, exp, iat and nonce are valid"
    if isinstance(expires, int | float):
        note += f"; it expires at {absolute(expires)}"
    log.add_step("the ID token was verified", "OpenID Connect Core §3.1.3.7", claims_shown(claims), note)


def _afterwards(client: LoginClient, token: OAuth2Token, claims: Mapping[str, Any] | None, log: Log) -> None:
    metadata = log.metadata
    if claims is not None and metadata is not None and metadata.userinfo_endpoint is not None:
        client.userinfo(token)
    with client.session(token) as session:
        if token.get("refresh_token"):
            token = session.refresh_token()
            lasts = token.get("expires_in")
            if isinstance(lasts, int | float):
                log.add_step("the renewed token", "RFC 6749 §6", note=f"it is valid for {in_words(lasts)}")
        else:
            log.add_step("there is no refresh token, so nothing is renewed", "RFC 6749 §6")
        if metadata is not None and metadata.revocation_endpoint is not None:
            session.revoke_token()
