"""The frame of an application that detects a logout at the provider (OpenID Connect Session Management 1.0 §3.1).

The frame sends a message to the provider's frame every few seconds. After the response "changed", the page begins a
login with `prompt=none`. It ends with a new session, or without a session if the provider has none any more. In a
browser that withholds the provider's cookies from frames, each response is "changed". So a second "changed" begins no
login, unless there was an "unchanged" in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from doorkey.errors import UsageError
from doorkey.login.web.backend import Backend
from doorkey.login.web.browser_sessions import BrowserSession
from doorkey.login.web.messages import WebReply, WebRequest, html_reply
from doorkey.login.web.site import LOGIN, SESSION_SCRIPT, Site
from doorkey.login.web.user import csrf_token_of
from doorkey.observe.logs import logger
from doorkey.pages.markup import EMPTY, Html, attribute, fill
from doorkey.values import Secret
from doorkey.wire.flow import Flow, Settle
from doorkey.wire.messages import Pairs
from doorkey.wire.urls import check_endpoint

NOT_LOGGED_IN: Final = frozenset(
    {"login_required", "interaction_required", "consent_required", "account_selection_required"}
)
"""The errors for `prompt=none` which mean that the user must log in again (OpenID Connect Core §3.1.2.6)."""

_CHECK: Final = "check"

_SCRIPT: Final = """"use strict";
const { provider, message, login } = document.currentScript.dataset;
const frame = document.querySelector("iframe");
const origin = new URL(provider).origin;
const CHANGED = "doorkey-session-changed";
let timer;
let unanswered = 0;

function stop(why) {
  clearInterval(timer);
  removeEventListener("message", onMessage);
  if (why) console.warn(`The session at the provider is not watched: ${why}.`);
}

function ask() {
  unanswered += 1;
  if (unanswered > 3) stop("its frame does not answer");
  else frame.contentWindow.postMessage(message, origin);
}

function onMessage({ data, origin: from, source }) {
  if (source !== frame.contentWindow || from !== origin) return;
  unanswered = 0;
  if (data === "unchanged") sessionStorage.removeItem(CHANGED);
  else if (data !== "changed") stop("it does not know this client at this address");
  else if (sessionStorage.getItem(CHANGED)) stop("the browser keeps its cookies from its frame");
  else {
    stop();
    sessionStorage.setItem(CHANGED, "1");
    const page = parent.location;
    page.assign(`${login}&next=${encodeURIComponent(page.pathname + page.search)}`);
  }
}

addEventListener("message", onMessage);
frame.addEventListener("load", () => {
  ask();
  timer = setInterval(ask, 5000);
});
frame.src = provider;
"""


@dataclass(frozen=True, slots=True)
class SessionCheck:
    """Detects for one site that the session at the provider has changed."""

    site: Site
    backend: Backend

    def frame(self, request: WebRequest, cookie: str | None) -> Flow[WebReply]:
        """Return the frame for this browser, which is empty without a session or if the provider has no frame."""
        session = yield from self.backend.sessions.load(cookie, self.backend.clock())
        place = None if session is None else (yield from self._place(session))
        if cookie is None or session is None or place is None:
            return _page(EMPTY, "default-src 'none'")
        client: Any = self.backend.clients[session.provider]
        name = session.provider if len(self.backend.providers) > 1 else None
        content = fill(
            '<iframe title="Session at the provider"></iframe>\n<script src="{script}" data-provider="{provider}" '
            'data-message="{message}" data-login="{login}"></script>\n',
            script=attribute(self.site.path(request, SESSION_SCRIPT)),
            provider=attribute(place),
            message=attribute(f"{client.session().client_id} {session.session_state}"),
            login=attribute(self.site.path(request, LOGIN, name, **{_CHECK: csrf_token_of(cookie)})),
        )
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(place))
        return _page(content, f"default-src 'none'; script-src 'self'; frame-src {origin}")

    def _place(self, session: BrowserSession) -> Flow[str | None]:
        """Return the URL of the provider's frame, or None."""
        if session.session_state is None or session.provider not in self.backend.clients:
            return None
        metadata = yield from Settle(self.backend.clients[session.provider].discover())
        place: object = metadata.extra.get("check_session_iframe")
        if not isinstance(place, str):
            return None
        own = urlsplit(metadata.issuer or "").hostname or ""
        try:
            return check_endpoint(place, "check_session_iframe", {own})
        except UsageError as error:
            logger.warning("the session at the provider is not watched: %s", error)
            return None


def parameters_of(request: WebRequest, cookie: str | None) -> dict[str, str]:
    """Return ``prompt=none`` as a parameter of a login, if the frame of this browser has requested the login.

    Without the token of the frame, a link on another site could end the session. The session need not exist: a
    back-channel logout may have ended it meanwhile.
    """
    given = request.one(_CHECK)
    is_check = given is not None and cookie is not None and Secret(given) == Secret(csrf_token_of(cookie))
    return {"prompt": "none"} if is_check else {}


def script_reply() -> Flow[WebReply]:
    """Return the script of the frame. It contains no data of a user, so caches may store it."""
    yield from ()
    headers = (("Content-Type", "text/javascript;charset=utf-8"), ("Cache-Control", "public, max-age=86400"))
    return WebReply(200, (*headers, ("X-Content-Type-Options", "nosniff")), _SCRIPT.encode())


def _page(content: Html, policy: str) -> WebReply:
    text = fill('<!DOCTYPE html>\n<html lang="en">\n<title>Session</title>\n{content}</html>\n', content=content)
    headers: Pairs = (
        ("Content-Type", "text/html;charset=utf-8"),
        ("Cache-Control", "no-store, must-revalidate, max-age=0"),
        ("Referrer-Policy", "same-origin"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "SAMEORIGIN"),
        ("Content-Security-Policy", f"{policy}; frame-ancestors 'self'; base-uri 'none'"),
    )
    return html_reply(200, text, headers)
