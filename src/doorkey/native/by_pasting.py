"""`login_by_pasting`: the user opens a URL in any browser, and pastes the URL to which the browser returned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from doorkey.arguments import function, text
from doorkey.errors import UsageError
from doorkey.native.blocking_awaiting import awaiting, blocking
from doorkey.native.browsers import show_url
from doorkey.native.callbacks import Accepted, Expected
from doorkey.native.effects import OpenClient
from doorkey.native.errors import WrongPaste
from doorkey.native.pasted import parse_paste
from doorkey.native.registration import registration
from doorkey.native.result import NativeLogin, native_login
from doorkey.native.terminal_line import read_line
from doorkey.wire.flow import Flow, maybe_await

if TYPE_CHECKING:
    from doorkey.login.flows import LoginFlows
    from doorkey.sources.issuer import Issuer
    from doorkey.wire.limits import ExchangePolicy

__all__ = ["alogin_by_pasting", "login_by_pasting"]

ATTEMPTS: Final = 3
_PROMPT: Final = (
    "After the login, the browser may show that it cannot open a page.\n"
    "Copy the URL of that page from the address bar. Paste it here: "
)


def _login_by_pasting(
    issuer: str | Issuer,
    client_id: str,
    *,
    redirect_uri: str,
    client_secret: Any = None,
    scope: str | Iterable[str] | None = "openid",
    read: Callable[[str], Any] | None = None,
    show: Callable[[str], Any] | None = None,
    http_client: Any = None,
    exchange: ExchangePolicy | None = None,
    clock: Callable[[], float] | None = None,
    **parameters: Any,
) -> Flow[NativeLogin]:
    """Log a user in with a browser on any machine, and return the token (RFC 6749 §4.1).

    The user opens the URL of the login, and pastes the URL of the page that opens after the login, with at most three
    attempts. The response is checked as by `doorkey.login.LoginClient`.

    issuer: the provider's issuer, a URL or an `Issuer`, whose metadata is discovered.
    client_id, client_secret: the client; a native app is a public client and has no secret (RFC 8252 §8.5).
    redirect_uri: a registered redirect URI. The page there need not exist.
    scope: the scope, as text or as scope tokens; None: "openid".
    read: ``read(prompt)`` returns the pasted text, as `input` does. None: a line of standard input, with the
        prompt on standard error.
    show: ``show(url)`` shows the URL of the login to the user. None: on standard error.
    http_client: the HTTP client for the requests to the provider. It stays open. None: a new client.
    exchange: the limits of each request to the provider.
    clock: returns seconds since the epoch; None: `time.time`.
    parameters: further parameters of the authorization request, such as `prompt` and `login_hint`.

    Raises `WrongPaste` after the third text that is not the URL of this login, and otherwise the errors of
    `login_in_browser`.
    """
    text(redirect_uri, "redirect_uri")
    options = registration(issuer, client_id, client_secret, scope, http_client, exchange, clock)
    client: LoginFlows = yield from OpenClient(options)
    return (yield from pasted_login(client, redirect_uri, read, show, parameters))


login_by_pasting = blocking(_login_by_pasting)
alogin_by_pasting = awaiting(_login_by_pasting)


def pasted_login(
    client: LoginFlows,
    redirect_uri: str,
    read: Callable[[str], Any] | None,
    show: Callable[[str], Any] | None,
    parameters: Mapping[str, Any],
) -> Flow[NativeLogin]:
    """Log a user in with `client`, and with the arguments of `login_by_pasting`."""
    reads, shown = read or read_line, show or show_url
    function(reads, "read must be a callable (prompt)")
    function(shown, "show must be a callable (url)")
    url, pending = yield from client._begin(redirect_uri, **parameters)
    mode = pending.transaction.response_mode
    if mode not in ("query", "fragment"):
        raise UsageError(f"a response of the mode {mode} is not in a URL of the browser: use response_mode='query'")
    yield from maybe_await(shown(url))
    expected = Expected(redirect_uri, pending.state)
    prompt, problem = _PROMPT, ""
    for _ in range(ATTEMPTS):
        pasted = text((yield from maybe_await(reads(prompt))), "the result of read(prompt)")
        found = parse_paste(pasted, expected, in_fragment=mode == "fragment")
        if isinstance(found, Accepted):
            return native_login((yield from client._finish(found.params, pending)), "paste")
        prompt, problem = f"{found}\nPaste it here: ", found
    raise WrongPaste(problem)
