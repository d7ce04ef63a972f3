"""The routes `login` and `callback`: a login begins in a browser, and must end in the same browser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from doorkey.errors import UsageError, VerificationError
from doorkey.login.errors import LoginExpired, LoginRefused, LoginReplayed, NoPendingLogin, OtherHost, WrongState
from doorkey.login.next_url import checked_next
from doorkey.login.pending import PendingLogin
from doorkey.login.result import LoginResult
from doorkey.login.web.backend import Backend
from doorkey.login.web.browser_sessions import BrowserSession
from doorkey.login.web.documents import encoded
from doorkey.login.web.errors import NoUser, SessionEnded
from doorkey.login.web.messages import WebReply, WebRequest, redirect
from doorkey.login.web.pending_logins import PendingLogins
from doorkey.login.web.replies import choice_reply
from doorkey.login.web.session_check import NOT_LOGGED_IN, parameters_of
from doorkey.login.web.site import CALLBACK, LOGIN, Site
from doorkey.stores.limits import MAX_DATA
from doorkey.values import Secret
from doorkey.wire.flow import Flow, Settle
from doorkey.wire.messages import Pairs

_MOVED = "moved"
_SEAL = 256
"""The maximum bytes that encryption adds to a record."""


@dataclass(frozen=True, slots=True)
class LoggingIn:
    """Begins and finishes the logins of one site."""

    site: Site
    backend: Backend

    def begin(self, request: WebRequest, name: str | None, cookie: str | None = None) -> Flow[WebReply]:
        """Return the redirect to a provider, or the page on which the user chooses one.

        name: the provider; None: the only provider, or the user chooses.
        cookie: the ID of this browser's session, or None. A check of the session at the provider may end it.
        """
        base = self.site.base(request)
        if self.site.is_at_other_address(request):
            if request.one(_MOVED) is not None:
                raise self.site.wrong_address(request)
            # A cookie of this host would not be sent to the callback, so the login begins at the base URL
            more = urlencode([*request.parameters, (_MOVED, "1")], safe="/")
            return redirect(f"{self.site.url(base, LOGIN, name)}?{more}")
        given = request.one("next")
        providers = self.backend.providers
        if name is None and len(providers) > 1:
            choices = [(one.label, self.site.path(request, LOGIN, one.name, next=given)) for one in providers.values()]
            return choice_reply(choices, self.site.name)
        client = self.backend.clients[self._chosen(name)]
        callback = self.site.url(base, CALLBACK, name if len(providers) > 1 else None)
        target, check = checked_next(given, self.site.after_login), parameters_of(request, cookie)
        begun = yield from Settle(client.begin(callback, next=target, **check))
        pending = yield from self._pending_logins(base)
        return redirect(begun.url, *pending.added(request, begun.pending))

    def finish(self, request: WebRequest, name: str | None, cookie: str | None) -> Flow[WebReply]:
        """Finish a login, and return the redirect to the page that the user requested.

        cookie: the ID of the previous session of this browser, or None.
        """
        base = self.site.base(request)
        pairs = request.form if request.method == "POST" else request.parameters
        pending_logins = yield from self._pending_logins(base)
        pending = yield from self._pending_login(request, pairs, pending_logins, base)
        provider = self._chosen(name)
        client = self.backend.clients[provider]
        if self.backend.clock() >= pending.expires_at:
            raise LoginExpired
        if not (yield from self.backend.finished_logins.mark(pending.state, pending.expires_at)):
            raise LoginReplayed
        params = _form(pairs) if request.method == "POST" else f"{base}{urlsplit(request.path).path}?{request.query}"
        try:
            result: LoginResult = yield from Settle(client.finish(params, pending))
        except LoginRefused as refused:
            if not pending.is_silent or refused.error not in NOT_LOGGED_IN:
                raise
            yield from self._end_earlier(cookie)
            rules = self.site.rules(base)
            return redirect(pending.next, rules.drop(rules.name()), pending_logins.removed(pending))
        session = yield from self._session(provider, client, result, pairs)
        yield from self._end_earlier(cookie)
        identifier, ended = yield from self.backend.sessions.begin(
            session, lambda key: self._save_token(provider, key, result), self.backend.clock()
        )
        yield from self.backend.forget(ended)
        if identifier is None:
            raise SessionEnded
        rules = self.site.rules(base)
        cookies = rules.set(rules.name(), identifier, self.site.lifetime), pending_logins.removed(pending)
        return redirect(result.next, *cookies)

    def removal_headers(self, request: WebRequest) -> Flow[Pairs]:
        """Return the headers that remove the pending login of a callback after an error."""
        pairs = request.form if request.method == "POST" else request.parameters
        states = [value for key, value in pairs if key == "state"]
        pending_logins = yield from self._pending_logins(self.site.base(request))
        pending = pending_logins.find(request, states[0]) if len(states) == 1 else None
        return () if pending is None else (pending_logins.removed(pending),)

    def _pending_login(
        self, request: WebRequest, pairs: Pairs, pending_logins: PendingLogins, base: str
    ) -> Flow[PendingLogin]:
        """Return the pending login of this browser with the state of the callback. Raises `LoginError` without one."""
        states = [value for key, value in pairs if key == "state"]
        if len(states) > 1:
            raise VerificationError("state", "occurs in the callback more than once")
        if not states:
            raise WrongState(
                for_developers=(
                    "The callback has no parameter state: it was opened by hand, or the provider did not return the "
                    "state that was sent to it."
                )
            )
        pending = pending_logins.find(request, states[0])
        if pending is not None:
            return pending
        if self.site.is_at_other_address(request):
            raise OtherHost(urlsplit(base).netloc, request.host)
        if (yield from self.backend.finished_logins.is_marked(states[0], self.backend.clock())):
            raise LoginReplayed  # its cookie was removed when it was finished
        raise NoPendingLogin

    def _pending_logins(self, base: str) -> Flow[PendingLogins]:
        sealer = yield from self.backend.cookie_sealer()
        return PendingLogins(sealer, self.site.rules(base))

    def _chosen(self, name: str | None) -> str:
        return next(iter(self.backend.providers)) if name is None else name

    def _session(self, provider: str, client: Any, result: LoginResult, pairs: Pairs) -> Flow[BrowserSession]:
        info: Mapping[str, Any] = result.userinfo or {}
        registered = self.backend.providers[provider]
        preset = registered.preset
        if result.claims is not None and result.userinfo is None and not registered.has_userinfo_option:
            info = yield from self._userinfo(client, result)
        if preset is not None and preset.callback_claims is not None:
            info = {**preset.callback_claims(dict(pairs)), **info}
        iss = result.iss if result.claims is not None or preset is None else preset.identity_issuer
        sub: object = result.sub or info.get("sub")
        if not isinstance(sub, str) or not sub:
            raise NoUser
        claims: Mapping[str, Any] = result.claims or {}
        sid, id_token, now = claims.get("sid"), result.token.id_token, self.backend.clock()
        return _storable(
            BrowserSession(
                provider=provider,
                iss=iss,
                sub=sub,
                sid=sid if isinstance(sid, str) and sid else None,
                claims=dict(claims),
                userinfo=dict(info),
                id_token=None if id_token is None else Secret(id_token),
                created_at=now,
                expires_at=now + self.site.lifetime,
                session_state=result.session_state,
            )
        )

    def _userinfo(self, client: Any, result: LoginResult) -> Flow[Mapping[str, Any]]:
        """Return the claims that the scopes profile and email request (OpenID Connect Core §5.4)."""
        metadata = yield from Settle(client.discover())
        if metadata.userinfo_endpoint is None:
            return {}
        info: Mapping[str, Any] = yield from Settle(client.userinfo(result.token))
        return info

    def _save_token(self, provider: str, key: str, result: LoginResult) -> Flow[None]:
        yield from Settle(self.backend.vaults[provider].save(key, result.token))

    def _end_earlier(self, cookie: str | None) -> Flow[None]:
        """End the previous session of this browser, because each login needs a new session ID (session fixation)."""
        if cookie is None:
            return
        earlier = yield from self.backend.sessions.load(cookie, self.backend.clock())
        if earlier is not None:
            yield from self.backend.forget((yield from self.backend.sessions.end(cookie, earlier)))


def _storable(session: BrowserSession) -> BrowserSession:
    """Return `session` if it fits into a record. Otherwise raise `VerificationError`, before anything is stored."""
    try:
        size = len(encoded(session.to_dict()))
    except UsageError:  # a lone surrogate
        size = MAX_DATA
    if size > MAX_DATA - _SEAL:
        raise VerificationError("userinfo", "and the ID token have claims that cannot be stored, or too many of them")
    return session


def _form(pairs: Pairs) -> Mapping[str, list[str]]:
    """Return a posted form as a mapping that keeps repeated parameters."""
    form: dict[str, list[str]] = {}
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    if not form:
        raise UsageError("the callback has no parameters")
    return form
