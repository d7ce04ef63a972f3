"""The routes that end a session, for the user, and for the provider through the back channel or the front channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from doorkey.errors import OAuthError, UsageError, VerificationError
from doorkey.jose.claim_rules import numeric_date
from doorkey.login.web.backend import LOGOUT_SLOT, Backend
from doorkey.login.web.browser_sessions import BrowserSession
from doorkey.login.web.errors import ForgedLogout
from doorkey.login.web.messages import WebReply, WebRequest, empty_reply, json_reply, only, redirect
from doorkey.login.web.replies import logged_out_reply, logout_reply
from doorkey.login.web.site import LOGIN, LOGOUT, Site
from doorkey.login.web.user import csrf_token_of
from doorkey.observe.logs import logger
from doorkey.values import Secret
from doorkey.wire.flow import Flow, Settle

_WARNING = "The request to log out did not come from a page of this site. Log out here."


@dataclass(frozen=True, slots=True)
class LoggingOut:
    """Ends the sessions of one site."""

    site: Site
    backend: Backend

    def confirm(self, request: WebRequest, cookie: str | None) -> Flow[WebReply]:
        """Return the page that asks whether to log out, or states that the browser is logged out."""
        session = yield from self.backend.sessions.load(cookie, self.backend.clock())
        if cookie is None or session is None:
            login, home = self.site.path(request, LOGIN), self._home(request)
            return logged_out_reply(login, home, self.site.name)
        return logout_reply(self.site.path(request, LOGOUT), csrf_token_of(cookie), self.site.name)

    def by_user(self, request: WebRequest, cookie: str | None) -> Flow[WebReply]:
        """End the session of this browser, and return the redirect that ends the session at the provider.

        All sessions that belong to this session at the provider end too, even if it sends no logout token.
        """
        base = self.site.base(request)
        rules = self.site.rules(base)
        session = yield from self.backend.sessions.load(cookie, self.backend.clock())
        if cookie is None:  # for instance, a form of another site (SameSite=Lax): keep the session's cookie
            return self._gone(request, self._home(request))
        if session is None:
            return self._gone(request, self._home(request), rules.drop(rules.name()))
        expected = csrf_token_of(cookie)
        if Secret(only(request.form, "csrf_token") or request.header("X-CSRF-Token") or "") != Secret(expected):
            if not request.wants_html:
                raise ForgedLogout
            return logout_reply(self.site.path(request, LOGOUT), expected, self.site.name, _WARNING, status=403)
        ended = yield from self.backend.sessions.end(cookie, session)
        if session.sid is not None:
            ended = [*ended, *(yield from self.backend.sessions.end_all(session.iss, session.sub, session.sid))]
        yield from self.backend.revoke(ended)
        yield from self.backend.forget(ended)
        url = yield from self._provider_logout(base, session)
        return self._gone(request, url or self._home(request), rules.drop(rules.name()))

    def by_back_channel(self, request: WebRequest, name: str | None) -> Flow[WebReply]:
        """End the sessions that a logout token names (Back-Channel Logout 1.0 §2.5 to §2.8)."""
        token = only(request.form, "logout_token")
        if token is None:
            raise VerificationError("logout_token", "is not in the form exactly once")
        client = self._client(name).session()
        try:
            claims = yield from Settle(client.verify_logout_token(token))
        except UsageError as error:  # a provider without an issuer, or a text that is not a token
            raise VerificationError("logout_token", "cannot be checked here") from error
        now, identifier = self.backend.clock(), f"{claims['iss']} {claims['jti']}"
        expires_at = numeric_date(claims, "exp") or 0.0
        if expires_at > now + LOGOUT_SLOT:
            raise VerificationError("exp", "of the logout token is more than a day ahead")
        if not (yield from self.backend.logout_tokens.mark(identifier, expires_at)):
            raise VerificationError("jti", "was accepted before: each logout token can be used only once")
        try:
            sid, sub = claims.get("sid"), claims.get("sub")
            ended = yield from self.backend.sessions.end_all(claims["iss"], sub, sid)
            yield from self.backend.forget(ended)
        except OAuthError:  # the provider may send the token again
            yield from self.backend.logout_tokens.unmark(identifier, expires_at)
            raise
        return empty_reply(200)

    def by_front_channel(self, request: WebRequest, name: str | None, cookie: str | None) -> Flow[WebReply]:
        """End the sessions that the request of a provider's frame identifies (Front-Channel Logout 1.0 §2).

        A browser sends no cookie to a frame of another site. Without a cookie, only the `sid` identifies the sessions.
        Only the provider and its clients know it.
        """
        client = self._client(name)
        metadata = yield from Settle(client.discover())
        named = client.session().parse_frontchannel_logout(_parameters(request))
        sessions = self.backend.sessions
        session = yield from sessions.load(cookie, self.backend.clock())
        headers: list[tuple[str, str]] = [("Content-Type", "text/html;charset=utf-8")]
        if named.sid is not None:
            yield from self.backend.forget((yield from sessions.end_all(named.iss or "", None, named.sid)))
        if cookie is not None and session is not None and _is_meant(session, named.iss, named.sid, request):
            yield from self.backend.forget((yield from sessions.end(cookie, session)))
            rules = self.site.rules(self.site.base(request))
            headers.append(rules.drop(rules.name()))
        frames = urlsplit(metadata.issuer or "")
        policy = f"default-src 'none'; frame-ancestors {frames.scheme}://{frames.netloc}"
        return empty_reply(200, (*headers, ("Content-Security-Policy", policy)))

    def _provider_logout(self, base: str, session: BrowserSession) -> Flow[str | None]:
        """Return the URL that ends the session at the provider; None without such an endpoint, or if it fails now."""
        if session.provider not in self.backend.clients:
            return None
        client, preset = self.backend.clients[session.provider], self.backend.providers[session.provider].preset
        hint = None if session.id_token is None else session.id_token.reveal()
        back = base + self.site.after_logout
        params = {"post_logout_redirect_uri": back} if preset is None else preset.logout_params(back)
        try:
            url, _ = yield from Settle(client.logout_url(hint, **params))
        except OAuthError as error:
            logger.info("the session at the provider does not end with the logout: %s", error)
            return None
        return str(url)

    def _client(self, name: str | None) -> Any:
        return self.backend.clients[next(iter(self.backend.clients)) if name is None else name]

    def _home(self, request: WebRequest) -> str:
        root = urlsplit(self.site.base_url).path if self.site.base_url is not None else request.base_path
        return root + self.site.after_logout

    def _gone(self, request: WebRequest, url: str, *cookies: tuple[str, str]) -> WebReply:
        return redirect(url, *cookies) if request.wants_html else json_reply(200, {"logout_url": url}, cookies)


def _is_meant(session: BrowserSession, iss: str | None, sid: str | None, request: WebRequest) -> bool:
    """Return whether a request ends this session. Without a `sid`, only a frame may do so, not another site's link."""
    if sid is None:
        return request.header("Sec-Fetch-Dest") in ("iframe", "frame")
    return (session.iss, session.sid) == (iss, sid)


def _parameters(request: WebRequest) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in request.parameters:
        found.setdefault(name, []).append(value)
    return found
