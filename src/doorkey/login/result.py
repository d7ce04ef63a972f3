"""The result of a login: the user, the token, and the next page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doorkey.oidc.core.id_token import IDToken
    from doorkey.oidc.core.user_info import UserInfo
    from doorkey.tokens import OAuth2Token

__all__ = ["LoginResult"]


@dataclass(frozen=True, slots=True, repr=False)
class LoginResult:
    """A finished login. The identity of the user is the pair of `iss` and `sub`, and nothing else.

    iss: the issuer; for a provider without OpenID Connect, the origin of its token endpoint.
    sub: the identifier of the user at this issuer; empty if a provider without OpenID Connect returned no `sub`.
    claims: the verified claims of the ID token; None for a provider without OpenID Connect.
    userinfo: the response of the userinfo endpoint; None if it was not requested.
    token: the token of the login.
    next: the path of this site to which to send the user now.
    provider: the name of the client.
    session_state: the state of the session at the provider, for its `check_session_iframe` (Session Management 1.0 §2).
    """

    iss: str
    sub: str
    claims: IDToken | None
    userinfo: UserInfo | None
    token: OAuth2Token
    next: str
    provider: str
    session_state: str | None = None

    def __repr__(self) -> str:
        return f"<LoginResult at {self.provider!r}>"
