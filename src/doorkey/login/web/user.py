"""The logged-in user of a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from doorkey.login.web.browser_sessions import BrowserSession, digest_of, token_key
from doorkey.login.web.keys import derived
from doorkey.oidc.core.user_info import UserInfo
from doorkey.values import Secret

if TYPE_CHECKING:
    from doorkey.login.web.backend import Backend

__all__ = ["User", "UserClaims"]


class UserClaims(UserInfo):
    """The claims about a user, from the verified ID token and from the userinfo endpoint.

    Standard claims are also attributes, which are None if the claim is missing. ``claims["name"]`` returns any claim.
    """

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def sub(self) -> str: ...  # noqa: D102  # for type checkers: see `REGISTERED_CLAIMS`
        @property
        def name(self) -> str | None: ...  # noqa: D102
        @property
        def given_name(self) -> str | None: ...  # noqa: D102
        @property
        def family_name(self) -> str | None: ...  # noqa: D102
        @property
        def preferred_username(self) -> str | None: ...  # noqa: D102
        @property
        def email(self) -> str | None: ...  # noqa: D102
        @property
        def email_verified(self) -> bool | None: ...  # noqa: D102
        @property
        def picture(self) -> str | None: ...  # noqa: D102
        @property
        def locale(self) -> str | None: ...  # noqa: D102


class User:
    """A user who is logged in. The identity is the pair of `iss` and `sub`, and nothing else.

    session: the session of the browser.
    identifier: the ID of the session, which is secret.
    backend: the clients and the store of the login.
    """

    __slots__ = ("_backend", "_client", "_identifier", "_session")

    def __init__(self, session: BrowserSession, identifier: str, backend: Backend) -> None:
        self._session, self._identifier, self._backend = session, identifier, backend
        self._client: Any = None

    @property
    def iss(self) -> str:
        """The issuer; for a provider without OpenID Connect, a URL that identifies it."""
        return self._session.iss

    @property
    def sub(self) -> str:
        """The identifier of the user at this issuer."""
        return self._session.sub

    @property
    def provider(self) -> str:
        """The name of the provider."""
        return self._session.provider

    @property
    def claims(self) -> UserClaims:
        """The claims about the user. Those of the ID token take precedence."""
        return UserClaims({**self._session.userinfo, **self._session.claims})

    @property
    def id_token_claims(self) -> Mapping[str, Any]:
        """The claims that the ID token had at the login; empty for a provider without OpenID Connect."""
        return self._session.claims

    @property
    def name(self) -> str:
        """A name to display: the full name, else the user name, the email address or the `sub`."""
        claims = self.claims
        return claims.name or claims.preferred_username or claims.email or self.sub

    @property
    def email(self) -> str | None:
        """The email address, or None. It may not be verified, and it does not identify the user."""
        return self.claims.email

    @property
    def expires_at(self) -> float:
        """The time at which the session ends, in seconds since the epoch."""
        return self._session.expires_at

    @property
    def csrf_token(self) -> str:
        """The value of the field `csrf_token` in the logout form, or of the header `X-CSRF-Token`."""
        return csrf_token_of(self._identifier)

    @property
    def client(self) -> Any:
        """An HTTP client that sends the user's access token, which is renewed once for all processes.

        It is an `OAuth2Session` (or an `OAuth2Client`) in synchronous code, and an `AsyncOAuth2Client` in Starlette and
        FastAPI. It shares the connections of all users, and need not be closed. If the token can no longer be renewed,
        its calls raise `InvalidGrant` or `TokenExpiredError`, and the user must log in again.
        """
        if self._client is None:
            self._client = self._backend.http_client(self.provider, token_key(digest_of(self._identifier)))
        return self._client

    @property
    def uses_token(self) -> bool:
        """Whether `client` was used for this request."""
        return self._client is not None

    def __repr__(self) -> str:
        return f"<User of {self.provider}>"


def csrf_token_of(identifier: str) -> str:
    """Return the CSRF token of a session, which only the holder of the session's ID can compute."""
    return derived(Secret(identifier), "csrf token").hex()
