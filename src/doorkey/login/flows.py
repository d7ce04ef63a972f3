"""The flows of a login client: begin a login, finish it, request claims about the user, log out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

from doorkey.arguments import instance, text
from doorkey.errors import MismatchingStateError, ServerError, UsageError, VerificationError
from doorkey.login.effects import AtSession
from doorkey.login.errors import (
    LoginError,
    LoginExpired,
    LoginRefused,
    LoginReplayed,
    NoPendingLogin,
    OtherProvider,
    WrongState,
)
from doorkey.login.next_url import checked_next
from doorkey.login.pending import Begun, PendingLogin
from doorkey.login.pushed import request_url
from doorkey.login.result import LoginResult
from doorkey.sessions.authorizations import transaction_of
from doorkey.sessions.callbacks import parsed
from doorkey.sessions.logout import logout_request
from doorkey.sessions.userinfo import userinfo
from doorkey.wire.flow import Flow
from doorkey.wire.urls import origin_shown

if TYPE_CHECKING:
    from doorkey.oidc.core.id_token import IDToken
    from doorkey.oidc.core.user_info import UserInfo
    from doorkey.protocol.authorization import AuthorizationTransaction
    from doorkey.protocol.metadata import ServerMetadata
    from doorkey.sessions.callbacks import AuthorizationResponse
    from doorkey.sessions.core import SessionCore
    from doorkey.tokens import OAuth2Token, OAuthToken

_PENDING: Final = "pending must be the PendingLogin that begin() returned, or PendingLogin.from_dict() read"
_SESSION_STATE: Final = re.compile(r"[\x21-\x7e]{1,1024}")
_OURS: Final = frozenset({"authorization_response", "transaction", "state", "nonce", "code"})


class LoginFlows:
    """The flows of `LoginClient` and `AsyncLoginClient`, which run them."""

    _fetches_userinfo: bool | None
    _fix_userinfo: Any

    if TYPE_CHECKING:

        @property
        def name(self) -> str:
            """The name of the provider."""
            ...

        def session(self, token: Mapping[str, Any] | OAuthToken | None = None, **options: Any) -> Any:
            """Return a session for one user."""

    def _begin(
        self,
        /,
        redirect_uri: str | None = None,
        *,
        next: str | None = None,  # noqa: A002  # the name that web applications use
        scope: str | Iterable[str] | None = None,
        **parameters: Any,
    ) -> Flow[Begun]:
        """Begin a login, with a new state, nonce and code verifier (RFC 9700 §2.1, RFC 7636).

        Send the browser to the `url` of the result, and keep its `pending` for this browser.

        redirect_uri: the URL of the callback; None: the `redirect_uri` of the client.
        next: the path of this site to which the user goes after the login; a URL of another site becomes "/".
        scope: scope of this login, as text or as scope tokens; None: the scope of the client.
        parameters: further parameters of the authorization request, such as `prompt` and `login_hint`.

        Raises `UsageError` for invalid parameters, and the errors of `doorkey.discover`.
        """
        session = self.session()
        core: SessionCore = session._oauth
        yield from AtSession(session, core.located("authorization"))
        extra = {**parameters, "scope": scope}
        if redirect_uri is not None:
            extra["redirect_uri"] = text(redirect_uri, "redirect_uri")
        transaction = transaction_of(core.options, None, extra, core.options.clock())
        if transaction.redirect_uri is None:
            raise UsageError("give redirect_uri=, the URL of the callback, here or to the client")
        if not urlsplit(
            transaction.redirect_uri
        ).scheme:  # any scheme: a desktop app has one of its own (RFC 8252 §7.1)
            raise UsageError("redirect_uri must be a complete URL, such as https://app.example/auth/callback")
        if "code" not in transaction.response_type.split():
            raise UsageError('a login needs an authorization code: response_type is "code", or "code id_token"')
        url: str = yield from AtSession(session, request_url(core, transaction))
        is_silent = extra.get("prompt") == "none"
        return Begun(url, PendingLogin(self.name, transaction, checked_next(next), is_silent))

    def _finish(
        self, /, params: str | Mapping[str, Any], pending: PendingLogin | None, **token_parameters: Any
    ) -> Flow[LoginResult]:
        """Finish a login: check the response, exchange its code, and verify the ID token (OpenID Connect Core §3.1.3).

        params: the URL of the callback request, or the posted form of `form_post` as a mapping.
        pending: the login that this browser began, or None if there is no such login. Remove it from its storage first.
        token_parameters: further parameters of the token request.

        Raises `LoginError`, with a subclass for each common cause, `VerificationError` for another invalid response or
        ID token, `ServerError` and `InvalidResponse` for a response of the token endpoint or userinfo endpoint,
        `TransportError` if the provider cannot be reached, and `UsageError` for an invalid argument.
        """
        if pending is None:
            raise NoPendingLogin
        instance(pending, PendingLogin, _PENDING)
        if pending.provider != self.name:
            raise OtherProvider
        if taken := sorted(_OURS & token_parameters.keys()):
            raise UsageError(f"{taken[0]} comes from the pending login and the callback: do not pass it to finish()")
        session = self.session()
        core: SessionCore = session._oauth
        yield from AtSession(session, core.located("token"))  # the metadata may promise `iss` in the response
        response = _checked_response(core, params, pending.transaction)
        fetching = session._fetch_token(authorization_response=response, **token_parameters)
        token: OAuth2Token = yield from AtSession(session, fetching)
        info = None
        if self._wants_userinfo(core, token):
            info = yield from AtSession(session, userinfo(core, None, None, self._fix_of(session)))
        claims = token.id_token_claims
        metadata = core.options.metadata
        place = metadata.issuer or origin_shown(core.known_token_endpoint() or "")
        iss: str = place if claims is None else claims["iss"]
        known: Mapping[str, Any] = info or {} if claims is None else dict(claims)
        return LoginResult(
            iss=iss,
            sub=known.get("sub", ""),
            claims=cast("IDToken | None", claims),
            userinfo=info,
            token=token,
            next=checked_next(pending.next),
            provider=self.name,
            session_state=_session_state(response),
        )

    def _userinfo(self, token: Mapping[str, Any] | OAuthToken, *, sub: str | None = None) -> Flow[UserInfo]:
        """Return the provider's claims about the user of `token` (OpenID Connect Core §5.3).

        token: the user's token.
        sub: the user's `sub`; None: the `sub` of the token's ID token.

        Raises the errors of `OAuth2Client.userinfo`.
        """
        session = self.session(token)
        flow = userinfo(session._oauth, None, sub, self._fix_of(session))
        return (yield from AtSession(session, flow))

    def _logout_url(
        self,
        /,
        id_token_hint: str | None = None,
        *,
        post_logout_redirect_uri: str | None = None,
        state: str | None = None,
        **parameters: Any,
    ) -> Flow[tuple[str, str | None]]:
        """Return the pair (url, state) for a logout at the provider (OpenID Connect RP-Initiated Logout 1.0 §2).

        Send the browser to the URL, and store the state for it. The state is None without `post_logout_redirect_uri`.

        id_token_hint: the ID token of the user who logs out.
        post_logout_redirect_uri: the registered URL to which the browser comes back.
        state: the state of the request; None: a random value.
        parameters: further parameters, such as `logout_hint` and `ui_locales`.

        Raises `UsageError` if the provider has no end session endpoint, and the errors of `doorkey.discover`.
        """
        session = self.session()
        yield from AtSession(session, session._oauth.located("end_session"))
        return logout_request(session._oauth, None, id_token_hint, post_logout_redirect_uri, state, parameters)

    def _discover(self) -> Flow[ServerMetadata]:
        """Return the provider's metadata. Unless it was given, it is discovered once for all users (RFC 8414 §3).

        Raises the errors of `doorkey.discover`, and `UsageError` without an issuer.
        """
        session = self.session()
        flow: Flow[ServerMetadata] = session._discover()
        return (yield from AtSession(session, flow))

    def _wants_userinfo(self, core: SessionCore, token: OAuth2Token) -> bool:
        if self._fetches_userinfo is not None:
            return self._fetches_userinfo
        return token.id_token_claims is None and core.options.metadata.userinfo_endpoint is not None

    def _fix_of(self, session: Any) -> Callable[[dict[str, Any]], Any] | None:
        return None if self._fix_userinfo is None else partial(self._fix_userinfo, session)


def _session_state(response: AuthorizationResponse) -> str | None:
    """Return the `session_state` of a response; None if missing or unfit for a message to the provider's frame."""
    given = response.parameters.get("session_state") or ""
    return given if _SESSION_STATE.fullmatch(given) else None


def _checked_response(
    core: SessionCore, params: str | Mapping[str, Any], transaction: AuthorizationTransaction
) -> AuthorizationResponse:
    """Return the checked authorization response. Raises a `LoginError`, or the `VerificationError` of another check."""
    endpoint = core.known_token_endpoint()
    failed: LoginError
    try:
        return parsed(
            params,
            core.options,
            core.authorizations,
            transaction=transaction,
            token_endpoint=endpoint,
            to_be_used=True,
        )
    except MismatchingStateError:
        failed = WrongState()
    except ServerError as answer:
        failed = LoginRefused.by(answer)
    except VerificationError as error:
        if error.claim != "transaction":
            raise
        failed = LoginExpired() if core.options.clock() >= transaction.expires_at else LoginReplayed()
    raise failed
