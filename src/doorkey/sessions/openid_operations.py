"""The operations of a session at an OpenID provider: ID tokens, UserInfo and logout, as flows and plain methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doorkey.oidc.core.id_token import IDToken
    from doorkey.oidc.core.user_info import UserInfo
    from doorkey.oidc.logout import FrontChannelLogout, LogoutToken
    from doorkey.protocol.authorization import AuthorizationTransaction
    from doorkey.sessions.callbacks import AuthorizationResponse
    from doorkey.sessions.core import SessionCore
    from doorkey.values import Secret
    from doorkey.wire.flow import Flow


class OpenIDOperations:
    """The operations of a session at an OpenID provider, except token requests. `OAuth2Client` inherits them for type
    checkers, and copies them at run time."""

    _oauth: SessionCore
    _find_endpoint: Any  # a method of `BlockingSession` or `AwaitingSession`

    def _verify_id_token(
        self,
        id_token: str | Secret | AuthorizationResponse | None = None,
        *,
        transaction: AuthorizationTransaction | None = None,
        nonce: str | None = None,
        access_token: str | Secret | None = None,
        code: str | Secret | None = None,
    ) -> Flow[IDToken]:
        """Verify an ID token that the caller already has, and return its claims (OpenID Connect Core §3.1.3.7).

        id_token: the ID token, or the result of `parse_authorization_response`, which identifies the login too; None:
            the ID token of the session's token, whose nonce was checked at its login.
        transaction: the login that the ID token is for.
        nonce: the nonce that the authorization request sent, in place of `transaction`.
        access_token, code: the access token and the code that came with the ID token, for `at_hash` and `c_hash`.

        Raises `VerificationError` for an invalid ID token, `UsageError` without an issuer, and the errors of `discover`
        and of fetching the keys.
        """
        from doorkey.sessions.openid import verify_id_token

        return (yield from verify_id_token(self._oauth, id_token, transaction, nonce, access_token, code))

    def _userinfo(self, url: str | None = None, *, sub: str | None = None) -> Flow[UserInfo]:
        """Return the provider's claims about the user of the session's token (OpenID Connect Core §5.3).

        The response may be JSON, or a signed or encrypted JWT. Claims of other providers stay separate: see `UserInfo`.

        url: the userinfo endpoint; None: the session's.
        sub: the expected `sub` of the user; None: that of the session's ID token.

        Raises `VerificationError` for the claims of another user or an invalid signature, `InvalidToken` if the
        provider rejects the token, `ServerError` for another error response, and `UsageError` without an endpoint.
        """
        from doorkey.sessions.userinfo import userinfo

        return (yield from userinfo(self._oauth, url, sub))

    def create_logout_url(
        self,
        url: str | None = None,
        *,
        id_token_hint: str | None = None,
        post_logout_redirect_uri: str | None = None,
        state: str | None = None,
        **extra: Any,
    ) -> tuple[str, str | None]:
        """Return (url, state) of a logout at the provider (OpenID Connect RP-Initiated Logout 1.0 §2).

        Redirect the browser to the URL. The session remembers the state for its own `validate_logout_response`. Pass
        the state to that method of another session. Without a `post_logout_redirect_uri`, the state is None.

        url: the end session endpoint; None: the session's.
        id_token_hint: an ID token of the user who logs out; None: that of the session's token.
        post_logout_redirect_uri: the registered URL to which the provider redirects the browser afterwards.
        state: the `state` parameter; None: a random value.
        extra: further parameters, such as `ui_locales` and `logout_hint`.

        Raises `UsageError`.
        """
        from doorkey.sessions.logout import logout_request

        self._find_endpoint("end_session", url)
        return logout_request(self._oauth, url, id_token_hint, post_logout_redirect_uri, state, extra)

    def validate_logout_response(self, response: str | Mapping[str, Any], state: str | None = None) -> None:
        """Check the state of a logout response (RP-Initiated Logout 1.0 §3). The state cannot be used again.

        response: the URL that the browser requested after the logout, or its parameters.
        state: the state that the logout request sent, if another session made it.

        Raises `MismatchingStateError` for a wrong or missing state, and `VerificationError` for a repeated `state`.
        """
        from doorkey.sessions.logout import check_response

        check_response(self._oauth, response, state)

    def parse_frontchannel_logout(self, request: str | Mapping[str, Any]) -> FrontChannelLogout:
        """Return the checked parameters of a request to the front-channel logout URL (Front-Channel Logout 1.0 §2).

        request: the URL that the browser requested, or its parameters.

        Raises `VerificationError` for another issuer, and `UsageError` without an issuer.
        """
        from doorkey.sessions.logout import front_channel

        return front_channel(self._oauth, request)

    def _verify_logout_token(
        self, logout_token: str | Secret, *, first_use: Callable[[str, float], Any] | None = None
    ) -> Flow[LogoutToken]:
        """Verify a logout token that the provider posted, and return its claims (Back-Channel Logout 1.0 §2.6).

        End the sessions of `sub` or `sid`, and then respond to the request with status 200. After an error, respond
        with status 400.

        logout_token: the value of the parameter `logout_token`.
        first_use: called with an identifier of the token and its expiry in seconds since the epoch. It must store the
            identifier until then, and return False if it is already stored. On an asynchronous client, it may be a
            coroutine function. None: replayed tokens are not detected.

        Raises `VerificationError` for an invalid token, `UsageError` without an issuer, and the errors of `discover`
        and of fetching the keys.
        """
        from doorkey.sessions.logout import verify_logout_token

        return (yield from verify_logout_token(self._oauth, logout_token, first_use))
